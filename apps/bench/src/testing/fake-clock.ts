import { afterEach, beforeEach, vi } from 'vitest'

/** Milliseconds that `performance.now()` shows, from `startMs` on anew in each test; only tests move it. */
export function useFakeClock(startMs = 0): { nowMs: number } {
  const clock = { nowMs: startMs }
  beforeEach(() => {
    clock.nowMs = startMs
    vi.spyOn(performance, 'now').mockImplementation(() => clock.nowMs)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  return clock
}
