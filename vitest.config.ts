import { defineConfig } from 'vitest/config'
import { createBrowserProject } from './tooling/browser-project.ts'
import { createSummaryReporter } from './tooling/summary-reporter.ts'

export default defineConfig({
  resolve: { conditions: ['@sluice/source'] },
  ssr: { resolve: { conditions: ['@sluice/source'] } },
  test: {
    setupFiles: ['tooling/fail-on-console.ts'],
    reporters: ['default', createSummaryReporter()],
    // ONNX Runtime's native library otherwise writes telemetry files into the temporary folder.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tooling/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
      createBrowserProject(),
    ],
  },
})
