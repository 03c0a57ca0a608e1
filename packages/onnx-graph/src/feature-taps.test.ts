import { countElements, InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { UnsupportedGraphError } from './errors.ts'
import { addFeatureTaps } from './feature-taps.ts'
import { writeOnnxModel } from './onnx-model.ts'
import { poolNaively } from './testing/naive-pooling.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'
import { seededValues } from './testing/seeded-values.ts'

/** `result = -input`, tapped at the input's negation. */
function createNegation(shape: readonly number[], opset: number) {
  const network = createNetworkBuilder('negation', opset)
  const negated = network.node('Neg', [network.input('input', 'float32', ['batch', ...shape])])
  network.node('Neg', [negated], {}, 'result')
  network.output('result', 'float32', ['batch', ...shape])
  return { model: network.buildModel(), negated }
}

async function expectNaivePooling(shape: readonly number[], pooling: PoolingDescription, opset: number): Promise<void> {
  const { model, negated } = createNegation(shape, opset)
  const { model: tapped, outputs } = addFeatureTaps(model, [{ tensor: negated, pooling }])
  const [output] = outputs
  if (output === undefined) throw new Error('The tap has no output.')
  const dims = [3, ...shape]
  const data = seededValues(countElements(dims), 1)
  const results = await runOnnx(writeOnnxModel(tapped), { input: { dims, data } })
  const expected = poolNaively({ dims, data: data.map((value) => -value) }, pooling)
  expect(results.result?.data).toEqual(data)
  expect(results[output.name]?.dims).toEqual([3, output.length])
  expect(output.length).toBe(expected[0]?.length)
  for (const [i, value] of expected.flat().entries()) expect(results[output.name]?.data[i]).toBeCloseTo(value, 5)
}

const shapes = [
  ['a map that the windows divide', [3, 8, 8], 4],
  ['overlapping windows with padding, 7x7 to 4x4', [3, 7, 7], 4],
  ['overlapping windows at irregular steps, 14x14 to 4x4', [2, 14, 14], 4],
  ['windows of different sizes at irregular steps, 14x14 to 8x8', [2, 14, 14], 8],
  ['axes of different lengths', [2, 5, 14], 4],
  ['an axis shorter than the windows are many', [2, 3, 9], 4],
  ['a map smaller than the windows are many', [3, 2, 2], 4],
  ['one window', [3, 7, 5], 1],
  ['tokens', [5, 6], 4],
  ['a plain row', [6], 4],
] as const

describe.each([11, 17, 18])('a feature tap in operator set %i', (opset) => {
  describe.each(shapes)('pools %s', (_, shape, size) => {
    test.each(['average', 'average+maximum'] as const)('by %s like its definition', async (kind) => {
      await expectNaivePooling(shape, { size, kind }, opset)
    })
  })

  test('takes the class token', async () => {
    await expectNaivePooling([5, 6], { size: 1, kind: 'class-token' }, opset)
  })
})

describe('addFeatureTaps', () => {
  test('taps several tensors in the order given', async () => {
    const { model, negated } = createNegation([2, 4, 4], 17)
    const pooling = { size: 2, kind: 'average' } as const
    const { outputs } = addFeatureTaps(model, [
      { tensor: 'result', pooling },
      { tensor: negated, pooling: { ...pooling, size: 1 } },
    ])
    expect(outputs.map(({ tensor, length }) => [tensor, length])).toEqual([
      ['result', 8],
      [negated, 2],
    ])
  })

  test('refuses a tensor that does not exist', () => {
    const { model } = createNegation([2, 4, 4], 17)
    const taps = [{ tensor: 'none', pooling: { size: 2, kind: 'average' } as const }]
    expect(() => addFeatureTaps(model, taps)).toThrow(UnsupportedGraphError)
  })

  test.each([
    ['the class token of a map', [2, 4, 4], { size: 1, kind: 'class-token' }],
    ['a size of zero', [2, 4, 4], { size: 0, kind: 'average' }],
    ['rows of four dimensions', [2, 2, 4, 4], { size: 2, kind: 'average' }],
  ] as const)('refuses %s', (_, shape, pooling) => {
    const { model, negated } = createNegation(shape, 17)
    expect(() => addFeatureTaps(model, [{ tensor: negated, pooling }])).toThrow(InvalidArgumentError)
  })
})
