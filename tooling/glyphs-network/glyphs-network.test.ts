import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { batches, createGlyphDataset, drawGlyph, glyphSplits, normalise, select } from '@sluice/datasets'
import * as ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const modelPath = fileURLToPath(new URL('../../apps/cli/assets/glyphs-resnet.onnx', import.meta.url))
const preprocessing = { shape: [3, 32, 32], layout: 'NCHW', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const

describe('the glyph network', () => {
  let session: ort.InferenceSession
  let correct: boolean[]

  beforeAll(async () => {
    session = await ort.InferenceSession.create(readFileSync(modelPath), { intraOpNumThreads: 1 })
    correct = []
    for await (const { images, labels, rows } of batches(select(createGlyphDataset('test'), { limit: 2000 }), 100)) {
      const input = new ort.Tensor('float32', normalise(images, preprocessing), [rows, 3, 32, 32])
      const { logits } = await session.run({ input })
      const scores = logits?.data as Float32Array
      for (let row = 0; row < rows; row++) {
        const rowScores = scores.subarray(row * 10, row * 10 + 10)
        correct.push(rowScores.indexOf(Math.max(...rowScores)) === labels?.[row])
      }
    }
  })

  afterAll(() => session.release())

  const accuracyBetween = (low: number, high: number) => {
    const within = correct.filter((_, index) => {
      const { difficulty } = drawGlyph(glyphSplits.test.seed, index)
      return difficulty >= low && difficulty < high
    })
    return within.filter(Boolean).length / within.length
  }

  test('takes any number of images and is at most 1.5 MB', () => {
    expect(session.inputMetadata).toMatchObject([{ name: 'input', shape: ['batch', 3, 32, 32] }])
    expect(session.outputNames).toEqual(['logits'])
    expect(statSync(modelPath).size).toBeLessThanOrEqual(1.5e6)
  })

  test('is right on 95 to 98 % of the test glyphs', () => {
    const accuracy = accuracyBetween(0, 1)
    expect(accuracy).toBeGreaterThan(0.95)
    expect(accuracy).toBeLessThan(0.98)
  })

  test('is right on nearly all easy glyphs and on clearly fewer of the hardest', () => {
    expect(accuracyBetween(0, 0.5)).toBeGreaterThan(0.99)
    expect(accuracyBetween(0.9, 1)).toBeLessThan(0.92)
  })
})
