import { describePolicy } from '@sluice/conformance'
import { argmaxRows, evaluateScoreExpression } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { createLearnedFamily } from './confidence-family.ts'

const family = createLearnedFamily()

describePolicy('learned', family)

/** Rows whose answer is right with a chance that depends on the runner-up's lead over the third class alone. */
function createSample(rows: number, seed: number) {
  const random = createRandom(seed)
  const classCount = 4
  const data = new Float32Array(rows * classCount)
  const chances = Float64Array.from({ length: rows }, (_, row) => {
    const lead = 4 * random()
    data.set([6, 3, 3 - lead, 3 - lead - random()], row * classCount)
    return 1 / (1 + Math.exp(-(1.5 * lead - 2)))
  })
  const targets = Int32Array.from(chances, (chance) => (random() < chance ? 0 : 1))
  return { sample: { scores: { data, rows, classCount }, targets, weightNorms: [1, 1, 1, 1] }, chances }
}

it('learns what the shape of the scores says about being right', () => {
  const { sample } = createSample(5000, 1)
  const unseen = createSample(2000, 2)
  const predicted = family.createScore(family.fit(sample))(unseen.sample.scores)
  const error = predicted.reduce((sum, p, row) => sum + Math.abs(p - (unseen.chances[row] ?? 0)), 0) / 2000
  expect(error).toBeLessThan(0.03)
})

it('is calibrated: over the fitted rows the mean score is the share of right answers', () => {
  const { sample } = createSample(5000, 3)
  const scores = family.createScore(family.fit(sample))(sample.scores)
  const answers = argmaxRows(sample.scores)
  const share = sample.targets.filter((target, row) => target === answers[row]).length / 5000
  expect(scores.reduce((sum, score) => sum + score, 0) / 5000).toBeCloseTo(share, 3)
})

it('says the same as data of classes that are masked', () => {
  const parameters = family.fit(createSample(500, 4).sample)
  const masked = { data: Float32Array.of(3, -Infinity, 1, 0, -Infinity, 2, -Infinity, 1.5), rows: 2, classCount: 4 }
  const expression = family.expressScore?.(parameters, 4)
  const scores = evaluateScoreExpression(expression ?? 0, masked)
  for (const [row, score] of family.createScore(parameters)(masked).entries()) expect(scores[row]).toBeCloseTo(score, 5)
})
