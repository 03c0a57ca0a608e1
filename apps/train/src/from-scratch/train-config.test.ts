import { describe, expect, it } from 'vitest'
import { parseTrainConfig } from './train-config.ts'

const least = {
  network: { kind: 'resnet', depth: 20, classes: 10, input: [32, 32, 3] },
  data: 'cifar10:data?split=train',
  epochs: 10,
}
const parse = (changes: object = {}) => parseTrainConfig({ ...least, ...changes }, { seed: 7 })

describe('parseTrainConfig', () => {
  it('fills in what is left out, the seed from outside', () => {
    expect(parse()).toMatchObject({
      batch: 128,
      optimiser: { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, warmUpEpochs: 1, labelSmoothing: 0 },
      augmentation: { pad: 0, flip: false },
      gates: { kind: 'none' },
      seed: 7,
      backend: null,
    })
    expect(parse({ seed: 3 }).seed).toBe(3)
    expect(parse({ gates: { kind: 'joint', count: 2 } }).gates).toEqual({
      kind: 'joint',
      at: null,
      count: 2,
      pool: 4,
      hidden: 128,
      weights: 'branchynet',
    })
  })

  it.each<[object, string]>([
    [{ epochs: 0 }, 'epochs: '],
    [{ optimiser: { learningrate: 1 } }, 'optimiser: Unrecognized key: "learningrate"'],
    [{ optimiser: { momentum: 1 } }, 'optimiser.momentum: '],
    [{ network: { ...least.network, depth: 21 } }, 'network.depth: must be 6k + 2'],
    [{ gates: { kind: 'joint' } }, 'gates: give either at or count'],
    [{ gates: { kind: 'joint', count: 2, at: ['block1'] } }, 'gates: give either at or count'],
    [{ gates: { kind: 'joint', at: ['block1', 'block1'] } }, 'gates.at: names a block twice'],
    [{ gates: { kind: 'after', at: ['block1', 'block2', 'block1'] } }, 'gates.at: names a block twice'],
    [{ gates: { kind: 'joint', count: 2, weights: [1, 1] } }, 'gates.weights: give one number per gate'],
    [{ gates: { kind: 'after', count: 2, at: ['block1'] } }, 'gates: give at or count, or neither'],
    [{ gates: { kind: 'sometimes' } }, 'gates.kind: '],
    [{ backend: 'gpu' }, 'backend: '],
    [{ mean: [0.5, 0.5, 0.5] }, 'std: give mean and std together'],
  ])('names the field that is wrong: %j', (changes, message) => {
    expect(() => parse(changes)).toThrow(message)
  })

  it('names every field that is missing, and says so of other things than objects', () => {
    expect(() => parseTrainConfig({}, { seed: 0 })).toThrow(/network: .*data: .*epochs: /)
    expect(() => parseTrainConfig(3, { seed: 0 })).toThrow('expected object')
  })
})
