import { describe, expect, test } from 'vitest'
import { createRandom } from './random.ts'

const draw = (seed: number, stream = 0, count = 20_000) => {
  const random = createRandom(seed, stream)
  return Array.from({ length: count }, () => random.next())
}

describe('createRandom', () => {
  test('gives the same numbers for the same seed and stream, and others for any other', () => {
    expect(draw(5, 7, 50)).toEqual(draw(5, 7, 50))
    expect(draw(5, 7, 50)).not.toEqual(draw(5, 8, 50))
    expect(draw(5, 7, 50)).not.toEqual(draw(7, 5, 50))
  })

  test('is uniform in each of 20 equal parts of [0, 1)', () => {
    const counts = new Array<number>(20).fill(0)
    for (const value of draw(1)) counts[Math.floor(value * 20)] = (counts[Math.floor(value * 20)] ?? 0) + 1
    // 1,000 expected; six standard deviations are 185.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(185)
  })

  test('is uniform over the first numbers of neighbouring streams, too', () => {
    const firsts = Array.from({ length: 10_000 }, (_, stream) => createRandom(3, stream).next())
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0174)
    const neighbours = firsts.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * ((firsts[i] as number) - 0.5), 0)
    expect(Math.abs(neighbours / firsts.length)).toBeLessThan(6 / 12 / 100)
  })

  test('draws standard normal numbers', () => {
    const random = createRandom(9)
    const values = Array.from({ length: 20_000 }, () => random.normal())
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.045)
    expect(Math.abs(variance - 1)).toBeLessThan(0.06)
  })
})
