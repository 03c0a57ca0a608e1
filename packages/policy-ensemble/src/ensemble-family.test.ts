import { describePolicy } from '@sluice/conformance'
import { argmaxRows, type GateSample, InvalidArgumentError, type PolicyFamily, ShapeMismatchError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { combineScores } from './combine-scores.ts'
import { createEnsembleFamily } from './ensemble-family.ts'

/** The lead of the likeliest class over the second one, as a fraction of the fitted number of rows. */
const lead: PolicyFamily = {
  specVersion: 'v1',
  name: 'lead',
  range: [0, Number.POSITIVE_INFINITY],
  fit: ({ scores }) => ({ rows: scores.rows }),
  createScore({ rows }) {
    if (typeof rows !== 'number') throw new InvalidArgumentError('rows is not a number')
    return ({ data, classCount, rows: count }) =>
      Float32Array.from({ length: count }, (_, row) => {
        const [best = 0, second = best] = data
          .slice(row * classCount, (row + 1) * classCount)
          .toSorted()
          .reverse()
        return (best - second) / rows
      })
  },
  expressScore({ rows }, classCount) {
    const factors = Array.from({ length: classCount }, (_, place) => [1, -1][place] ?? 0)
    const leads = { operator: 'multiply', left: { operator: 'descending', of: 'scores' }, right: factors } as const
    const lead = { operator: 'row-sum', of: leads } as const
    return { operator: 'divide', left: classCount === 1 ? 0 : lead, right: Number(rows) }
  },
}

const family = createEnsembleFamily({ base: lead })

describePolicy('ensemble', family, { runs: 30 })

const scores = (...data: number[]) => ({ data: Float32Array.from(data), rows: data.length / 2, classCount: 2 })

it('answers with the normalised weighted sum of log-probabilities and biases', () => {
  const parameters = { weights: [0.5, 2], bias: [0.1, -0.3], base: { rows: 1 } }
  const [p, q] = [
    [0.2, 0.8],
    [0.7, 0.3],
  ] as const
  const logits = [0, 1].map((c) => 0.5 * Math.log(p[c] ?? 0) + 2 * Math.log(q[c] ?? 0) + (parameters.bias[c] ?? 0))
  const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0))
  // Scores need not be log-probabilities: a constant that is added to a row changes nothing.
  const before = scores(...p.map((value) => Math.log(value) + 5))
  const here = scores(...q.map((value) => Math.log(value) - 3))
  const answer = family.createAnswer?.(parameters)(here, { earlier: [before] })
  expect(answer?.data[0]).toBeCloseTo((logits[0] ?? 0) - sum, 6)
  expect(answer?.data[1]).toBeCloseTo((logits[1] ?? 0) - sum, 6)
  const score = family.createScore(parameters)(here, { earlier: [before] })
  expect(score[0]).toBeCloseTo(Math.abs((logits[0] ?? 0) - (logits[1] ?? 0)), 5)
})

/** Two gates that each know the target through noise of their own. */
function createNoisySample(
  rows: number,
  seed: number,
): GateSample & { readonly earlier: readonly GateSample['scores'][] } {
  const random = createRandom(seed)
  const targets = Int32Array.from({ length: rows }, () => Math.floor(4 * random()))
  const look = () => ({
    data: Float32Array.from({ length: 4 * rows }, (_, i) => {
      const noise = random() + random() + random() + random() - 2
      return (targets[i >> 2] === i % 4 ? 1 : 0) + noise
    }),
    rows,
    classCount: 4,
  })
  return { scores: look(), targets, weightNorms: [1, 1, 1, 1], earlier: [look()] }
}

it('is right more often than either of its gates on rows that it was not fitted on', () => {
  const parameters = family.fit(createNoisySample(2000, 1))
  const { scores: here, earlier, targets } = createNoisySample(4000, 2)
  const countRight = (answers: Int32Array) => answers.filter((answer, row) => answer === targets[row]).length / 4000
  const combined = family.createAnswer?.(parameters)(here, { earlier })
  const alone = Math.max(...[here, ...earlier].map((each) => countRight(argmaxRows(each))))
  expect(countRight(argmaxRows(combined ?? here))).toBeGreaterThan(alone + 0.04)
})

it('answers at the end by the ensemble of the gates and the full network', () => {
  const parameters = family.end?.fit(createNoisySample(2000, 1)) ?? {}
  const { weights, bias } = family.fit(createNoisySample(2000, 1))
  expect(parameters).toEqual({ weights, bias })
  const { scores: final, earlier } = createNoisySample(50, 2)
  const answer = family.end?.createAnswer(parameters)
  expect(answer?.(final, { earlier })).toEqual(combineScores([...earlier, final], parameters as never))
  expect(() => answer?.(final)).toThrow('fitted on 1 gates in front and is shown 0')
})

it('scores what it answers with', () => {
  const sample = createNoisySample(300, 3)
  const parameters = family.fit(sample)
  const combined = family.createAnswer?.(parameters)(sample.scores, sample) ?? sample.scores
  expect(family.createScore(parameters)(sample.scores, sample)).toEqual(lead.createScore({ rows: 300 })(combined))
})

it('says its score as data where its base does', () => {
  const { expressScore: _, ...silent } = lead
  const parameters = { weights: [1, 1], bias: [0, 0], base: { rows: 1 } }
  expect(createEnsembleFamily({ base: silent }).expressScore).toBeUndefined()
  expect(family.expressScore?.(parameters, 2)).toBeDefined()
  expect(() => family.expressScore?.(parameters, 3)).toThrow(ShapeMismatchError)
})

it('takes the name ensemble over softmax, and that of any other base after it', () => {
  expect(createEnsembleFamily({ base: { ...lead, name: 'softmax' } }).name).toBe('ensemble')
  expect(family.name).toBe('ensemble-lead')
})

it('refuses bases that look at earlier gates or change answers', () => {
  expect(() => createEnsembleFamily({ base: family })).toThrow(InvalidArgumentError)
  expect(() => createEnsembleFamily({ base: { ...lead, createAnswer: () => (own) => own } })).toThrow('ensemble over')
})

it('refuses other gates or classes than it was fitted with', () => {
  const score = family.createScore({ weights: [1, 1], bias: [0, 0], base: { rows: 1 } })
  expect(() => score(scores(1, 2))).toThrow('fitted on 1 gates in front and is shown 0')
  expect(() => score({ ...scores(1, 2, 3), rows: 1, classCount: 3 }, { earlier: [] })).toThrow(ShapeMismatchError)
  const spoilt = { weights: [-1], bias: [0, 0], base: { rows: 1 } }
  expect(() => family.createScore(spoilt)).toThrow('weights [-1]')
  expect(() => family.createAnswer?.({ ...spoilt, weights: [1], bias: [] })).toThrow('bias []')
})
