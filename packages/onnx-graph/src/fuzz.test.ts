import { SluiceError } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { analyzeModel } from './analysis.ts'
import { findCuts } from './cuts.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { inferShapes } from './shape-inference.ts'
import { convertTensorProtoToTensor } from './tensor-proto.ts'
import { operatorCases } from './testing/operator-cases.ts'
import { createOperatorModel } from './testing/operator-model.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

/** Every operator with its operands stored, so that folding is reached, and fed; and every network structure. */
const models = [
  ...operatorCases.map((operatorCase) => createOperatorModel(operatorCase, () => true)),
  ...operatorCases.map((operatorCase) => createOperatorModel(operatorCase, ({ isConstant }) => isConstant)),
  ...createTestNetworks().map(({ model }) => model),
]
const files = models.map(writeOnnxModel)

/** Whole random numbers below a limit, the same in every run. */
function createChooser(seed: number): (limit: number) => number {
  const values = seededValues(100_000, seed)
  let next = 0
  return (limit) => Math.floor((((values[next++ % values.length] ?? 0) + 1) / 2) * limit) % limit
}

/** A few bytes set to any value, bytes cut out or repeated, or the end cut off. */
function mutateBytes(bytes: Uint8Array, choose: (limit: number) => number): Uint8Array {
  const at = choose(bytes.length)
  const kind = choose(8)
  if (kind === 0) return bytes.subarray(0, at)
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + choose(8))])
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at + choose(32)), bytes.subarray(at)])
  const mutated = bytes.slice()
  for (let count = choose(4); count >= 0; count--) mutated[choose(bytes.length)] = choose(256)
  return mutated
}

/** Runs `use`, which may fail only with an error of Sluice's own. */
function attempt(use: () => unknown): boolean {
  try {
    use()
    return true
  } catch (error) {
    if (!SluiceError.isInstance(error)) throw error
    return false
  }
}

function useModel(model: OnnxModel): void {
  for (const proto of model.graph.initializer) attempt(() => convertTensorProtoToTensor(proto, null))
  attempt(() => inferShapes(model, { batch: 2 }))
  attempt(() => analyzeModel(model))
  attempt(() => findCuts(model))
}

describe('damaged files', () => {
  test('10,000 mutations are read, or refused with an error of Sluice, in no time and little memory', () => {
    const choose = createChooser(1)
    let parsed = 0
    for (let round = 0; round < 10_000; round++) {
      const bytes = mutateBytes(files[round % files.length] ?? new Uint8Array(0), choose)
      const startMs = performance.now()
      const isParsed = attempt(() => useModel(readOnnxModel(bytes)))
      expect(performance.now() - startMs, `round ${round} took too long`).toBeLessThan(2000)
      parsed += Number(isParsed)
    }
    expect(parsed).toBeGreaterThan(1000)
    expect(parsed).toBeLessThan(9000)
  })

  test('every truncation of a file is refused or read', () => {
    const bytes = files[0] ?? new Uint8Array(0)
    for (let length = 0; length < bytes.length; length++)
      attempt(() => useModel(readOnnxModel(bytes.subarray(0, length))))
  })

  test('impossible numbers are refused with an error of Sluice and are no reason to allocate', () => {
    const choose = createChooser(2)
    const extremes = [-1n, 0n, -(2n ** 63n), 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 60n, 2n ** 63n - 1n]
    const pick = () => extremes[choose(extremes.length)] ?? 0n
    for (const file of files.flatMap((bytes) => [bytes, bytes, bytes, bytes])) {
      const model = readOnnxModel(file.slice())
      setNumber(model, choose, pick())
      const before = process.memoryUsage().arrayBuffers
      useModel(model)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    }
  })
})

/** Sets some numbers of the graph: sizes of inputs and weights, element types, stored integers, attributes. */
function setNumber({ graph }: OnnxModel, choose: (limit: number) => number, value: bigint): void {
  for (const proto of graph.initializer) {
    const { dataType, rawData } = proto
    if (choose(4) === 0) proto.dataType = choose(18)
    if (dataType !== 7 || rawData.length === 0 || choose(2) === 0) continue
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength)
    view.setBigInt64(8 * choose(rawData.length / 8), value, true)
  }
  const lists = [
    ...graph.initializer.map(({ dims }) => dims),
    ...graph.node.flatMap(({ attribute }) => attribute.map(({ ints }) => ints)),
  ].filter(({ length }) => length > 0)
  const list = lists[choose(lists.length || 1)]
  if (list !== undefined) list[choose(list.length)] = value
  const attributes = graph.node.flatMap(({ attribute }) => attribute)
  const attribute = attributes[choose(attributes.length || 1)]
  if (attribute !== undefined && choose(2) === 0) attribute.i = value
  for (const { type } of graph.input) {
    if (type?.value.case !== 'tensorType' || choose(2) === 0) continue
    const dims = type.value.value.shape?.dim ?? []
    const dim = dims[choose(dims.length || 1)]
    if (dim !== undefined) dim.value = { case: 'dimValue', value }
  }
}
