import { defineConfig, type Options } from 'tsup'

/**
 * The one build configuration of every package: ESM, type declarations, source maps, nothing bundled that a
 * package.json names as a dependency.
 *
 * @param entry source files by the name of the output file, e.g. `{ index: 'src/index.ts' }`
 * @param overrides options that differ for one package
 */
export function defineBuild(entry: Record<string, string>, overrides: Options = {}) {
  return defineConfig({
    entry,
    format: ['esm'],
    target: 'node20',
    platform: 'neutral',
    external: [/^node:/],
    removeNodeProtocol: false,
    dts: true,
    sourcemap: true,
    clean: true,
    treeshake: true,
    ...overrides,
  })
}
