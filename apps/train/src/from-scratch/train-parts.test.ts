import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { describe, expect, it } from 'vitest'
import { learningRateAt } from './learning-rate.ts'
import { createLossWeights } from './loss-weights.ts'
import { createSgd } from './sgd.ts'
import { formatMetricsCsv } from './train-metrics.ts'

describe('learningRateAt', () => {
  it('grows to the peak in a line and falls to 0 as a cosine', () => {
    const schedule = { peak: 2, warmUpSteps: 4, totalSteps: 11 }
    const rates = Array.from({ length: 11 }, (_, step) => learningRateAt(step, schedule))
    expect(rates.slice(0, 4)).toEqual([0.5, 1, 1.5, 2])
    expect(rates[7]).toBeCloseTo(1, 12)
    expect(learningRateAt(11, schedule)).toBeCloseTo(0, 12)
    expect(rates.slice(3)).toEqual(rates.slice(3).toSorted((a, b) => b - a))
  })

  it('starts at the peak without a warm-up', () => {
    expect(learningRateAt(0, { peak: 0.1, warmUpSteps: 0, totalSteps: 5 })).toBe(0.1)
  })
})

describe('createLossWeights', () => {
  it("takes BranchyNet's, or those given, and 1 for a network without gates", () => {
    expect(createLossWeights('branchynet', 3, null).weights).toEqual([1, 1, 0.3])
    expect(createLossWeights([1, 2], 2, null).weights).toEqual([1, 2])
    expect(createLossWeights([], 1, null).weights).toEqual([1])
    expect(() => createLossWeights([1, 2], 3, null)).toThrow('2 numbers for 3 exits')
  })

  it('learns weights in inverse proportion to the losses, of mean 1, and goes on from its state', () => {
    const weights = createLossWeights('learned', 2, null)
    expect(weights.weights).toEqual([1, 1])
    for (let step = 0; step < 300; step++) weights.update([2, 0.5], 0.1)
    expect(weights.weights).toEqual([expect.closeTo(0.4, 6), expect.closeTo(1.6, 6)])
    const resumed = createLossWeights('learned', 2, weights.state)
    for (const one of [weights, resumed]) one.update([1, 1], 0.1)
    expect(resumed.weights).toEqual(weights.weights)
  })
})

describe('createSgd', () => {
  it('follows Nesterov momentum, with decay only where it applies', async () => {
    const tf = await openNodeTfjs('cpu')
    const parameters = [true, false].map((decays) => ({
      name: `p${decays}`,
      variable: tf.variable(tf.scalar(2)),
      decays,
    }))
    const sgd = createSgd(tf, parameters, { momentum: 0.5, weightDecay: 0.1 })
    const gradients = Object.fromEntries(parameters.map(({ variable }) => [variable.name, tf.scalar(1)]))
    sgd.step(gradients, 0.1)
    sgd.step(gradients, 0.1)
    // Without decay: v = 1, p = 2 - 0.1 (1 + 0.5); then v = 1.5, p = 1.85 - 0.1 (1 + 0.75).
    // With decay: g = 1.2, p = 2 - 0.1 (1.2 + 0.6); then g = 1.182, v = 1.782, p = 1.82 - 0.1 (1.182 + 0.891).
    expect(parameters.map(({ variable }) => variable.dataSync()[0])).toEqual([
      expect.closeTo(1.6127, 5),
      expect.closeTo(1.675, 5),
    ])
    tf.dispose([gradients, parameters.map(({ variable }) => variable)])
    sgd.dispose()
  })
})

describe('formatMetricsCsv', () => {
  it('has a column per exit, and leaves out what was not measured', () => {
    const epoch = { loss: 2.5, trainAccuracies: [0.25, 0.5], learningRate: 0.1, seconds: 12.34 }
    const rows = [
      { ...epoch, epoch: 1, testAccuracies: [0.125, 0.75] },
      { ...epoch, epoch: 2, testAccuracies: null },
    ]
    expect(formatMetricsCsv(rows, ['block3', 'end'])).toBe(
      [
        'epoch,loss,train_accuracy_block3,train_accuracy_end,test_accuracy_block3,test_accuracy_end,learning_rate,seconds',
        '1,2.5,0.25,0.5,0.125,0.75,0.1,12.3',
        '2,2.5,0.25,0.5,,,0.1,12.3',
        '',
      ].join('\n'),
    )
  })
})
