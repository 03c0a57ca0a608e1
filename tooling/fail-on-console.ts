import { afterEach, beforeEach, expect, vi } from 'vitest'

const methods = ['log', 'info', 'warn', 'error', 'debug'] as const

beforeEach(() => {
  for (const method of methods) vi.spyOn(console, method)
})

/** Unexpected console output fails a test; a test that expects output mocks the method itself. */
afterEach(() => {
  for (const method of methods) {
    const spy = vi.mocked(console[method])
    if (!vi.isMockFunction(spy) || spy.getMockImplementation() !== undefined) continue
    const calls = spy.mock.calls
    spy.mockRestore()
    expect(calls, `unexpected console.${method}`).toEqual([])
  }
})
