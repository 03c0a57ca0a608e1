import { playwright } from '@vitest/browser-playwright'
import type { Plugin, TestProjectInlineConfiguration } from 'vitest/config'
import { findChromium } from './find-chromium.ts'

/**
 * WebGPU and WebGL run on the processor, so that every machine gives the same answers. Playwright itself turns off the
 * sandbox, updates and whatever else of Chromium's would ask the network.
 */
const launchArguments = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--disable-quic',
]

const include = ['packages/*/src/**/*.browser.test.ts', 'apps/*/src/**/*.browser.test.ts']

/** The vitest project that runs `*.browser.test.ts` in headless Chromium; without one, they are skipped with the reason. */
export function createBrowserProject(chromium: string | null = findChromium()): TestProjectInlineConfiguration {
  if (chromium === null) return { extends: true, plugins: [createSkipPlugin()], test: { name: 'browser', include } }
  return {
    extends: true,
    // It looks for its .wasm files beside its own, so it is served from where it lies.
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
