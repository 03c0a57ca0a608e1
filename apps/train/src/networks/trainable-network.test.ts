import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { InvalidArgumentError } from '@sluice/core'
import type * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { WeightMismatchError } from './errors.ts'
import { parseNetworkConfig, planNetwork } from './network-config.ts'
import { listParameters } from './network-plan.ts'
import { createInitialValues } from './parameter-values.ts'
import { smallNetworks } from './testing/small-networks.ts'
import { createNoise, createWarmNetwork } from './testing/warm-network.ts'
import { assignParameterValues, createTrainableNetwork, readParameterValues } from './trainable-network.ts'

const resnet = smallNetworks['ResNet with padded shortcuts']

describe.each(Object.entries(smallNetworks))('%s', (_name, config) => {
  test('runs and trains on wasm as on the cpu backend', async () => {
    const [expected = [], actual = []] = [await trainOneStep('cpu', config), await trainOneStep('wasm', config)]
    expect(actual).toHaveLength(expected.length)
    const scale = Math.max(1, ...expected.map(Math.abs))
    for (const [index, value] of expected.entries())
      expect(Math.abs((actual[index] ?? Number.NaN) - value)).toBeLessThan(2e-3 * scale)
  })

  test('every parameter gets a gradient', async () => {
    const tf = await openNodeTfjs('wasm')
    const network = createTrainableNetwork(tf, planNetwork(parseNetworkConfig(config)), 1)
    const variables = network.parameters.map(({ variable }) => variable)
    const norms = tf.tidy(() => {
      const images = createNoise(tf, 4, network.plan.input)
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.square(logitsOf(network.forward(images, true, ['logits'])))),
        variables,
      )
      return variables.map(({ name }) => grads[name]?.abs().sum().dataSync()[0] ?? 0)
    })
    network.dispose()
    const silent = network.parameters.filter((_, index) => !(Number(norms[index]) > 0))
    expect(silent.map(({ name }) => name)).toEqual([])
  })
})

/** The loss, the logits with moving statistics and a few gradients after one training pass. */
async function trainOneStep(backend: 'cpu' | 'wasm', config: unknown): Promise<number[]> {
  const tf = await openNodeTfjs(backend)
  const network = createTrainableNetwork(tf, planNetwork(parseNetworkConfig(config)), 1)
  const ends = [network.parameters.at(0), network.parameters.at(-1)].flatMap((parameter) => parameter?.variable ?? [])
  const values = tf.tidy(() => {
    const images = createNoise(tf, 3, network.plan.input)
    const loss = () => tf.mean(tf.square(logitsOf(network.forward(images, true, ['logits']))))
    const { value, grads } = tf.variableGrads(loss as () => tf.Scalar, ends)
    const logits = logitsOf(network.forward(images, false, ['logits']))
    return [value, logits, ...Object.values(grads)].flatMap((tensor) => [...tensor.dataSync()])
  })
  network.dispose()
  return values
}

function logitsOf(values: readonly tf.Tensor[]): tf.Tensor {
  const [logits] = values
  if (logits === undefined) throw new Error('no logits')
  return logits
}

describe('a trainable network', () => {
  test('a seed gives the same initial values, another seed others', () => {
    const plan = planNetwork(parseNetworkConfig(resnet))
    const [first, second, other] = [
      createInitialValues(plan, 5),
      createInitialValues(plan, 5),
      createInitialValues(plan, 6),
    ]
    expect(second).toEqual(first)
    expect(other.get('block1.conv1.weight')).not.toEqual(first.get('block1.conv1.weight'))
  })

  test('initial weights have the variance of He and are independent of one another', () => {
    const plan = planNetwork(parseNetworkConfig({ ...resnet, width: 2 }))
    const values = createInitialValues(plan, 1)
    const weight = values.get('block3.conv2.weight') ?? new Float32Array()
    const variance = weight.reduce((sum, value) => sum + value ** 2, 0) / weight.length
    expect(variance / (2 / (9 * 128))).toBeCloseTo(1, 1)
    const other = values.get('block2.conv2.weight') ?? new Float32Array()
    expect(weight.slice(0, 10)).not.toEqual(other.slice(0, 10))
  })

  test('training normalises by the batch and moves the statistics; otherwise nothing changes', async () => {
    const tf = await openNodeTfjs('cpu')
    const network = createTrainableNetwork(tf, planNetwork(parseNetworkConfig(resnet)), 1)
    const images = createNoise(tf, 8, network.plan.input)
    const before = await readParameterValues(network)
    tf.dispose(network.forward(images, false, ['logits']))
    expect(await readParameterValues(network)).toEqual(before)
    const conv = tf.tidy(() => {
      const moments = tf.moments(logitsOf(network.forward(images, true, ['stem.conv'])), [0, 1, 2])
      return { mean: moments.mean.dataSync(), variance: moments.variance.dataSync() }
    })
    tf.dispose(network.forward(images, true, ['stem']))
    const after = await readParameterValues(network)
    for (const [channel, value] of (after.get('stem.norm.mean') ?? []).entries()) {
      expect(value).toBeCloseTo(0.1 * (conv.mean[channel] ?? Number.NaN), 5)
      const variance = after.get('stem.norm.variance')?.[channel]
      expect(variance).toBeCloseTo(0.9 + 0.1 * (conv.variance[channel] ?? Number.NaN), 5)
    }
    expect(after.get('block1.norm1.mean')).toEqual(before.get('block1.norm1.mean'))
    expect(after.get('stem.norm.scale')).toEqual(before.get('stem.norm.scale'))
    images.dispose()
    network.dispose()
  })

  test('gives the values asked for, in that order, and leaves nothing else alive', async () => {
    const tf = await openNodeTfjs('wasm')
    const atFirst = tf.memory().numTensors
    const network = createWarmNetwork(tf, resnet)
    const images = createNoise(tf, 2, network.plan.input)
    const before = tf.memory().numTensors
    const values = network.forward(images, false, ['block3', 'logits', 'block1'])
    expect(values.map(({ shape }) => shape)).toEqual([
      [2, 4, 4, 16],
      [2, 10],
      [2, 16, 16, 4],
    ])
    expect(tf.memory().numTensors).toBe(before + 3)
    tf.dispose([values, images])
    network.dispose()
    expect(tf.memory().numTensors).toBe(atFirst)
  })

  test('a row does not depend on its neighbours outside of training', async () => {
    const tf = await openNodeTfjs('wasm')
    const network = createWarmNetwork(tf, resnet)
    const [together, alone] = tf.tidy(() => {
      const images = createNoise(tf, 5, network.plan.input)
      const all = logitsOf(network.forward(images, false, ['logits']))
      const one = logitsOf(network.forward(tf.slice(images, 3, 1), false, ['logits']))
      return [[...tf.slice(all, 3, 1).dataSync()], [...one.dataSync()]]
    })
    network.dispose()
    for (const [index, value] of (together ?? []).entries()) expect(alone?.[index]).toBeCloseTo(value, 4)
  })

  test('decay applies to the weights of convolutions and the dense layer alone', async () => {
    const tf = await openNodeTfjs('cpu')
    const network = createTrainableNetwork(tf, planNetwork(parseNetworkConfig(resnet)), 1)
    const decaying = network.parameters.filter(({ decays }) => decays).map(({ name }) => name)
    expect(decaying).toEqual(network.parameters.map(({ name }) => name).filter((name) => name.endsWith('.weight')))
    expect(network.statistics.map(({ name }) => name)).toContain('block2.norm1.variance')
    network.dispose()
  })

  test('values that the plan does not have are refused', async () => {
    const tf = await openNodeTfjs('cpu')
    const network = createTrainableNetwork(tf, planNetwork(parseNetworkConfig(resnet)), 1)
    const images = createNoise(tf, 1, network.plan.input)
    expect(() => network.forward(images, false, ['block9'])).toThrow(InvalidArgumentError)
    const flat: tf.Tensor = tf.zeros([3, 3])
    expect(() => network.forward(flat as tf.Tensor4D, false, ['logits'])).toThrow('[batch, height, width, channels]')
    const values = new Map(await readParameterValues(network))
    values.set('stem.conv.weight', new Float32Array(3))
    expect(() => assignParameterValues(tf, network, values)).toThrow(WeightMismatchError)
    values.delete('stem.conv.weight')
    expect(() => assignParameterValues(tf, network, values)).toThrow(
      "'stem.conv.weight' of shape [3, 3, 3, 4] has no values",
    )
    tf.dispose([flat, images])
    network.dispose()
  })

  test('values read from one network make another the same', async () => {
    const tf = await openNodeTfjs('cpu')
    const network = createWarmNetwork(tf, resnet)
    const copy = createTrainableNetwork(tf, network.plan, 9)
    assignParameterValues(tf, copy, await readParameterValues(network))
    expect(await readParameterValues(copy)).toEqual(await readParameterValues(network))
    expect((await readParameterValues(copy)).size).toBe(listParameters(network.plan).length)
    copy.dispose()
    network.dispose()
  })
})
