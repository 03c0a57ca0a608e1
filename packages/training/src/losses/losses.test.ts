import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { describe, expect, it } from 'vitest'
import { createTestEngine } from '../../../../tooling/create-test-engine.ts'
import { createRandom } from '../random.ts'
import { createCrammerSingerLoss } from './crammer-singer.ts'
import { createCrossEntropyLoss } from './cross-entropy.ts'
import { createDistillationLoss } from './distillation.ts'
import type { HeadLoss } from './head-loss.ts'
import { createHingeLoss } from './hinge.ts'

const rows = 40
const classCount = 5

function softmax(scores: readonly number[], temperature: number): number[] {
  const powers = scores.map((score) => Math.exp(score / temperature))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** The losses of one row, written down from their definitions, in double precision. */
const cases: { name: string; loss: HeadLoss; naive: (scores: number[], target: number[]) => number }[] = [
  {
    name: 'one-vs-rest hinge',
    loss: createHingeLoss(),
    naive: (scores, target) => sum(scores.map((score, j) => Math.max(0, 1 - (target[j] === 1 ? score : -score)))),
  },
  {
    name: 'Crammer-Singer hinge',
    loss: createCrammerSingerLoss(),
    naive: (scores, target) => {
      const own = scores[target.indexOf(1)] as number
      return Math.max(...scores.map((score, j) => score + (target[j] === 1 ? 0 : 1))) - own
    },
  },
  {
    name: 'cross-entropy',
    loss: createCrossEntropyLoss({ labelSmoothing: 0 }),
    naive: (scores, target) => -Math.log(softmax(scores, 1)[target.indexOf(1)] as number),
  },
  {
    name: 'cross-entropy with label smoothing',
    loss: createCrossEntropyLoss({ labelSmoothing: 0.3 }),
    naive: (scores, target) => {
      const p = softmax(scores, 1)
      return -sum(target.map((own, j) => (0.7 * own + 0.3 / classCount) * Math.log(p[j] as number)))
    },
  },
  {
    name: 'distillation',
    loss: createDistillationLoss({ temperature: 3 }),
    naive: (scores, target) => {
      const [p, q] = [softmax(scores, 3), softmax(target, 3)]
      return 9 * sum(q.map((share, j) => share * Math.log(share / (p[j] as number))))
    },
  },
]

describe.each(cases)('the loss $name', ({ loss, naive }) => {
  const random = createRandom(3, 0)
  const scores = Float32Array.from({ length: rows * classCount }, () => 1.5 * random.normal())
  const target = Float32Array.from({ length: rows * classCount }, (_, index) => {
    if (loss.target === 'network-scores') return 2 * random.normal()
    return index % classCount === Math.floor(index / classCount) % classCount ? 1 : 0
  })
  const rowOf = (values: Float32Array, row: number) => [...values.subarray(row * classCount, (row + 1) * classCount)]

  it('has the value of its definition and the gradient of finite differences', async () => {
    const { value, gradient } = await runLoss(loss, scores, target)
    const step = 1e-5
    for (let row = 0; row < rows; row++) {
      const [z, t] = [rowOf(scores, row), rowOf(target, row)]
      expect(value[row]).toBeCloseTo(naive(z, t), 4)
      for (let j = 0; j < classCount; j++) {
        const shifted = (by: number) => naive(z.with(j, (z[j] as number) + by), t)
        const slope = (shifted(step) - shifted(-step)) / (2 * step)
        expect(gradient[row * classCount + j]).toBeCloseTo(slope, 4)
      }
    }
  })
})

it('a loss option outside its range is refused', () => {
  expect(() => createCrossEntropyLoss({ labelSmoothing: 1 })).toThrow(/smoothing 1 .*use 0/)
  expect(() => createDistillationLoss({ temperature: 0 })).toThrow(/Temperature 0 .*above 0/)
})

async function runLoss(loss: HeadLoss, scores: Float32Array, target: Float32Array) {
  const builder = createGraphBuilder({ name: 'loss' })
  const dims = [rows, classCount]
  const inputs = { scores: builder.input('scores', 'float32', dims), target: builder.input('target', 'float32', dims) }
  const { value, gradient } = loss.append(builder, { ...inputs, classCount })
  builder.output(value, 'float32', [rows, 1])
  builder.output(gradient, 'float32', dims)
  const session = await createTestEngine().createSession(writeOnnxModel(builder.buildModel()))
  try {
    const results = await session.run({
      scores: { type: 'float32', dims, data: scores },
      target: { type: 'float32', dims, data: target },
    })
    return { value: results[value]?.data as Float32Array, gradient: results[gradient]?.data as Float32Array }
  } finally {
    await session.release()
  }
}
