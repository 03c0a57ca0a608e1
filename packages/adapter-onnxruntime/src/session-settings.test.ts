import { expect, test } from 'vitest'
import { createSessionOptions } from './session-settings.ts'

test('by default idle threads stop spinning and only errors are logged', () => {
  expect(createSessionOptions({}, ['cpu'])).toEqual({
    executionProviders: ['cpu'],
    logSeverityLevel: 3,
    extra: { session: { force_spinning_stop: '1' } },
  })
})

test('settings become the options of ONNX Runtime', () => {
  const options = createSessionOptions({ threads: 2, logLevel: 'verbose', denormalsAsZero: true }, ['cuda', 'cpu'])
  expect(options).toEqual({
    executionProviders: ['cuda', 'cpu'],
    intraOpNumThreads: 2,
    logSeverityLevel: 0,
    extra: { session: { force_spinning_stop: '1', set_denormal_as_zero: '1' } },
  })
})

test('options given for ONNX Runtime itself win, entry by entry', () => {
  const sessionOptions = {
    executionMode: 'parallel' as const,
    extra: { session: { force_spinning_stop: '0' }, optimization: { enable_gelu_approximation: '1' } },
  }
  expect(createSessionOptions({ denormalsAsZero: true, sessionOptions }, ['cpu'])).toMatchObject({
    executionMode: 'parallel',
    extra: {
      session: { force_spinning_stop: '0', set_denormal_as_zero: '1' },
      optimization: { enable_gelu_approximation: '1' },
    },
  })
})
