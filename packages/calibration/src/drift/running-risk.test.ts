import { InvalidArgumentError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { describe, expect, it } from 'vitest'
import { boundRisk } from '../guarantee/control-risk.ts'
import { boundRunningRisk } from './running-risk.ts'

/** Whether the interval missed the running mean of the risks at any of the times looked at. */
function missesEver(riskAt: (row: number) => number, random: () => number): boolean {
  let [losses, sum, look] = [0, 0, 0]
  for (let row = 0; row < 2000; row++) {
    const risk = riskAt(row)
    sum += risk
    if (random() < risk) losses++
    if (row < look) continue
    look = Math.ceil(1.08 * row)
    const { lower, upper } = boundRunningRisk(losses, row + 1, 0.9)
    const mean = sum / (row + 1)
    if (mean < lower || mean > upper) return true
  }
  return false
}

describe('over many streams', () => {
  it.each([
    { name: 'a constant risk', riskAt: () => 0.02 },
    { name: 'a great constant risk', riskAt: () => 0.4 },
    { name: 'a growing risk', riskAt: (row: number) => 0.01 + row / 10_000 },
    { name: 'a risk that comes and goes', riskAt: (row: number) => (row % 500 < 50 ? 0.3 : 0.005) },
  ])('the interval holds the mean of $name at every time in all but the allowed share', ({ riskAt }) => {
    const random = createRandom(1)
    const streams = 100
    const missed = Array.from({ length: streams }, () => missesEver(riskAt, random)).filter(Boolean).length
    expect(missed).toBeLessThanOrEqual(streams * 0.1 + 3 * Math.sqrt(streams * 0.1 * 0.9))
  })
})

describe('a single interval', () => {
  it('holds the mean and is wider than the one of a time fixed before, but less than twice as wide', () => {
    for (const [losses, rows] of [
      [20, 1000],
      [200, 10_000],
      [4, 200],
    ] as const) {
      const { lower, upper } = boundRunningRisk(losses, rows, 0.95)
      const fixed = { lower: 1 - boundRisk(rows - losses, rows, 0.975), upper: boundRisk(losses, rows, 0.975) }
      const mean = losses / rows
      expect(lower).toBeLessThan(fixed.lower)
      expect(upper).toBeGreaterThan(fixed.upper)
      expect(upper - mean).toBeLessThan(2 * (fixed.upper - mean))
      expect(mean - lower).toBeLessThan(2 * (mean - fixed.lower))
    }
  })

  it('is everything without rows, and reaches the ends where all losses are alike', () => {
    expect(boundRunningRisk(0, 0, 0.95)).toEqual({ lower: 0, upper: 1 })
    const none = boundRunningRisk(0, 1000, 0.95)
    const all = boundRunningRisk(1000, 1000, 0.95)
    expect(none.lower).toBe(0)
    expect(all.upper).toBe(1)
    expect(none.upper).toBeLessThan(0.01)
    expect(all.lower).toBeGreaterThan(0.99)
    expect(none.upper).toBeCloseTo(1 - all.lower, 12)
  })

  it('refuses counts that are none', () => {
    expect(() => boundRunningRisk(3, 2, 0.95)).toThrow(InvalidArgumentError)
    expect(() => boundRunningRisk(-1, 2, 0.95)).toThrow(InvalidArgumentError)
    expect(() => boundRunningRisk(0.5, 2, 0.95)).toThrow(InvalidArgumentError)
    expect(() => boundRunningRisk(0, 2, 1)).toThrow(InvalidArgumentError)
  })
})
