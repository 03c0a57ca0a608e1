import { createRandom } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { estimateMedians } from './bootstrap.ts'

const everyRow = (samples: number) => Uint32Array.from({ length: samples }, (_, row) => row)

describe('estimateMedians', () => {
  const options = { resamples: 2000, confidence: 0.95, seed: 1 }

  it('gives the normal interval of a mean where there is one split that judges every sample', async () => {
    const samples = 400
    const random = createRandom(7)
    const values = Float32Array.from({ length: samples }, () => (random.next() < 0.3 ? 1 : 0))
    const [estimate] = await estimateMedians([[values]], { ...options, samples, judgedRows: [everyRow(samples)] })
    const mean = values.reduce((sum, value) => sum + value, 0) / samples
    const error = Math.sqrt((mean * (1 - mean)) / samples)
    expect(estimate?.median).toBeCloseTo(mean, 12)
    expect(Math.abs((estimate?.low ?? 0) - (mean - 1.96 * error))).toBeLessThan(0.15 * error)
    expect(Math.abs((estimate?.high ?? 0) - (mean + 1.96 * error))).toBeLessThan(0.15 * error)
  })

  it('takes the median of the splits, each over the samples that it judges', async () => {
    const figure = [Float32Array.of(1, 3), Float32Array.of(10, 20), Float32Array.of(5, 5)]
    const judgedRows = [Uint32Array.of(0, 1), Uint32Array.of(2, 3), Uint32Array.of(1, 2)]
    const [estimate] = await estimateMedians([figure], { ...options, samples: 40, judgedRows, resamples: 1 })
    expect(estimate?.median).toBe(5)
  })

  it('gives no width to a figure that all samples share, and the same for the same seed', async () => {
    const judgedRows = [everyRow(50), everyRow(50).subarray(0, 40)]
    const constant = judgedRows.map(({ length }) => new Float32Array(length).fill(0.25))
    const rising = judgedRows.map((rows) => Float32Array.from(rows))
    const run = (seed: number) => estimateMedians([constant, rising], { ...options, samples: 50, judgedRows, seed })
    const [first, again, other] = [await run(1), await run(1), await run(2)]
    expect(first[0]).toEqual({ median: 0.25, low: 0.25, high: 0.25 })
    expect(again).toEqual(first)
    expect(other[1]?.median).toBe(first[1]?.median)
    expect(other[1]?.low).not.toBe(first[1]?.low)
  })

  it('ends with the reason of the signal', async () => {
    const controller = new AbortController()
    const run = estimateMedians([[new Float32Array(4)]], {
      ...options,
      samples: 4,
      judgedRows: [everyRow(4)],
      signal: controller.signal,
      onResample: (done) => done === 3 && controller.abort(new Error('enough')),
    })
    await expect(run).rejects.toThrow('enough')
  })
})
