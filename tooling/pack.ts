import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A packed package. */
export interface PackedPackage {
  readonly name: string
  /** Absolute path of the tarball. */
  readonly file: string
}

/**
 * Packs what was built before, as `npm publish` would.
 *
 * @param root folder of a package, or of a monorepo together with `['--workspaces']`
 * @param folder existing folder that receives the tarballs
 */
export function pack(root: string, folder: string, options: readonly string[] = []): PackedPackage[] {
  const args = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder, ...options]
  const output = execFileSync('npm', args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' })
  const packed: { name: string; filename: string }[] = JSON.parse(output)
  return packed.map(({ name, filename }) => ({ name, file: join(folder, filename) }))
}

/** The bytes of a packed package. */
export function readTarball({ file }: PackedPackage): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(file))
}
