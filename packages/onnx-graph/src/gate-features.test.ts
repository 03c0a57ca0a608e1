import { InvalidArgumentError } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { findCuts } from './cuts.ts'
import { addFeatures, gateFeaturesName, removeFeatures } from './gate-features.ts'
import { joinStages } from './join.ts'
import { writeOnnxModel } from './onnx-model.ts'
import { splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

/** The network cut at its last tensor of that many dimensions a row. */
function splitAtRank(name: string, rank: number) {
  const network = createTestNetworks().find((candidate) => candidate.name === name)
  if (network === undefined) throw new Error(`There is no test network '${name}'.`)
  const cut = findCuts(network.model).findLast(({ shape }) => shape.length === rank)
  if (cut === undefined) throw new Error(`The test network has no cut of rank ${rank}.`)
  const stages = splitIntoStages(network.model, [cut.tensor]).map(({ model }) => model)
  const [first] = stages
  if (first === undefined) throw new Error('The test network has no stages.')
  const dims = [3, ...network.inputShape]
  const data = seededValues(
    dims.reduce((product, size) => product * size),
    5,
  )
  return { first, stages, cut, input: { dims, data } }
}

describe.each([
  ['channels of a map', 'residual', 3],
  ['values of tokens', 'transformer', 2],
  ['a vector', 'residual', 1],
] as const)('pooled features of a gate, %s', (_, name, rank) => {
  const { first, stages, cut, input } = splitAtRank(name, rank)
  const gate = addFeatures(first, cut.tensor, 1)

  test('are the means over all positions, beside the unchanged activation', async () => {
    const { [cut.tensor]: activation, [gateFeaturesName(1)]: features } = await runOnnx(writeOnnxModel(gate), { input })
    const { [cut.tensor]: plain } = await runOnnx(writeOnnxModel(first), { input })
    if (plain === undefined) throw new Error('The stage yields no activation.')
    expectClose(activation, plain)
    const width = rank === 2 ? (cut.shape[1] ?? 0) : (cut.shape[0] ?? 0)
    const positions = cut.shape.reduce((product, size) => product * size, 1) / width
    const expected = Float32Array.from({ length: 3 * width }, (_value, i) => {
      const [row, channel] = [Math.floor(i / width), i % width]
      const start = row * width * positions
      return Array.from({ length: positions }, (_position, p) => {
        return activation?.data[start + (rank === 2 ? p * width + channel : channel * positions + p)] ?? Number.NaN
      }).reduce((sum, value) => sum + value / positions, 0)
    })
    expectClose(features, { dims: [3, width], data: expected })
  })

  test('are taken out again without a trace, and joined stages have none', () => {
    const output = gateFeaturesName(1)
    expect(writeOnnxModel(removeFeatures(gate, { output }))).toEqual(writeOnnxModel(first))
    const joined = joinStages([gate, ...stages.slice(1)])
    expect(writeOnnxModel(joined)).toEqual(writeOnnxModel(joinStages(stages)))
  })
})

test('pooled features need the stage that ends at the cut', () => {
  const { first } = splitAtRank('residual', 3)
  expect(() => addFeatures(first, 'elsewhere', 0)).toThrow(InvalidArgumentError)
})
