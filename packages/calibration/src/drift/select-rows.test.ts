import { expect, it } from 'vitest'
import { selectRows } from './select-rows.ts'

const place = 2 ** 32 - 300

it.each([
  { seed: 0, start: 0, share: 0.01 },
  { seed: 1, start: place, share: 0.3 },
  { seed: 2 ** 40 + 7, start: 2 ** 45, share: 0.9 },
])('draws the share $share of the rows from $start on, give or take chance', ({ seed, start, share }) => {
  const count = 100_000
  const drawn = selectRows(seed, start, count, share).length
  expect(Math.abs(drawn - share * count)).toBeLessThan(4 * Math.sqrt(count * share * (1 - share)))
})

it('draws the same rows however the stream is cut into batches', () => {
  const whole = selectRows(5, place, 600, 0.1)
  const parts: number[] = []
  for (let start = 0; start < 600; start += 7) {
    const batch = selectRows(5, place + start, Math.min(7, 600 - start), 0.1)
    parts.push(...Array.from(batch, (row) => start + row))
  }
  expect(parts).toEqual(Array.from(whole))
  expect(selectRows(6, place, 600, 0.1)).not.toEqual(whole)
})

it('does not favour a period: of every 2, 10 and 100 rows each place is drawn alike', () => {
  const drawn = selectRows(3, 0, 400_000, 0.05)
  for (const period of [2, 10, 100]) {
    const counts = new Array<number>(period).fill(0)
    for (const row of drawn) counts[row % period] = (counts[row % period] as number) + 1
    const expected = drawn.length / period
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(period - 1 + 4 * Math.sqrt(2 * (period - 1)))
  }
})

it('draws no row or every row at the ends', () => {
  expect(selectRows(0, 0, 1000, 0)).toHaveLength(0)
  expect(selectRows(0, 0, 1000, 1)).toHaveLength(1000)
  expect(selectRows(0, 0, 0, 1)).toHaveLength(0)
})
