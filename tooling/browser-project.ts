import { playwright } from '@vitest/browser-playwright'
import type { Plugin, TestProjectInlineConfiguration } from 'vitest/config'
import { findChromium } from './find-chromium.ts'

/** WebGPU and WebGL run on the processor, so that every machine gives the same answers; nothing asks the network. */
const launchArguments = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const include = ['packages/*/src/**/*.browser.test.ts', 'apps/*/src/**/*.browser.test.ts']

/** The vitest project that runs `*.browser.test.ts` in headless Chromium; without one, they are skipped with the reason. */
export function createBrowserProject(chromium: string | null = findChromium()): TestProjectInlineConfiguration {
  if (chromium === null) return { extends: true, plugins: [createSkipPlugin()], test: { name: 'browser', include } }
  return {
    extends: true,
    // Found by its files' own addresses, which lie beside the .wasm files.
    optimizeDeps: { exclude: ['onnxruntime-web'] },
    test: {
      name: 'browser',
      include,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath: chromium, args: launchArguments } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  }
}

/** Puts one skipped test in the place of every browser test file, which could not even be imported outside a browser. */
function createSkipPlugin(): Plugin {
  const reason = 'no Chromium was found; install it, or point SLUICE_CHROMIUM to one'
  const source = `import { test } from 'vitest'; test('needs a browser', ({ skip }) => skip('${reason}'))`
  return { name: 'skip browser tests', load: (id) => (/\.browser\.test\.ts$/.test(id) ? source : undefined) }
}
