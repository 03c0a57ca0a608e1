import { describe, expect, test } from 'vitest'
import { drawGlyph, glyphClasses } from './draw-glyph.ts'
import { createGlyphDataset, glyphSplits } from './glyph-dataset.ts'

const glyphs = Array.from({ length: 1000 }, (_, index) => drawGlyph(1, index))

describe('drawGlyph', () => {
  test('draws the same glyph whatever was drawn before', () => {
    expect(drawGlyph(1, 500)).toEqual(glyphs[500])
    expect(drawGlyph(1, 501)).not.toEqual(glyphs[500])
    expect(drawGlyph(2, 500)).not.toEqual(glyphs[500])
  })

  test('draws every class about equally often', () => {
    const counts = glyphClasses.map((_, label) => glyphs.filter((glyph) => glyph.label === label).length)
    expect(counts.reduce((sum, count) => sum + count)).toBe(1000)
    // 100 expected; six standard deviations are 57.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(57)
  })

  test('spreads the difficulty over all of 0..1', () => {
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = glyphs.filter(({ difficulty }) => Math.floor(difficulty * 10) === tenth).length / 1000
      expect(share).toBeGreaterThan(0.04)
    }
  })

  test('draws the sign of an easy glyph in the middle, far from the background in colour', () => {
    const easy = glyphs.filter(({ difficulty }) => difficulty < 0.1)
    const differing = easy.map(({ pixels }) => {
      const distances = Array.from({ length: 1024 }, (_, at) =>
        Math.hypot(
          ...[0, 1, 2].map((channel) => ((pixels[channel * 1024 + at] ?? 0) - (pixels[channel * 1024] ?? 0)) / 255),
        ),
      )
      return distances.filter((distance) => distance > 0.45).length
    })
    expect(easy.length).toBeGreaterThan(60)
    for (const count of differing) expect(count).toBeGreaterThan(30)
  })

  test('draws the classes so that their clean pictures differ', () => {
    const means = glyphClasses.map((_, label) => meanInk(label))
    for (const [a, one] of means.entries()) {
      for (const other of means.slice(a + 1)) {
        expect(Math.hypot(...one.map((value, i) => value - (other[i] as number)))).toBeGreaterThan(2)
      }
    }
  })
})

/** Where the easy glyphs of a class differ from their corner pixel, on average: `[32 * 32]`. */
function meanInk(label: number): number[] {
  const easy = glyphs.filter((glyph) => glyph.label === label && glyph.difficulty < 0.4)
  return Array.from({ length: 1024 }, (_, at) => {
    const inked = easy.filter(({ pixels }) => Math.abs((pixels[1024 + at] ?? 0) - (pixels[1024] ?? 0)) > 40)
    return inked.length / easy.length
  })
}

describe('createGlyphDataset', () => {
  test('reads the glyphs of its split, the same in any order', async () => {
    const dataset = createGlyphDataset('train')
    expect([dataset.size, dataset.classes.length, dataset.sampleShape]).toEqual([20_000, 10, [3, 32, 32]])
    const batch = await dataset.read([500, 3])
    expect(Array.from(batch.labels ?? [])).toEqual([glyphs[500]?.label, glyphs[3]?.label])
    expect(Array.from(batch.images.subarray(0, 3072), (value) => Math.round(value * 255))).toEqual(
      Array.from(glyphs[500]?.pixels ?? []),
    )
  })

  test('keeps train and test apart', async () => {
    expect(glyphSplits.train.seed).not.toBe(glyphSplits.test.seed)
    const [train, test] = await Promise.all([
      createGlyphDataset('train').read([0]),
      createGlyphDataset('test').read([0]),
    ])
    expect(train.images).not.toEqual(test.images)
  })

  test('refuses an index outside the split', async () => {
    await expect(createGlyphDataset('test').read([10_000])).rejects.toThrow(/samples 0 to 9999/)
  })
})
