import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { type OnnxModel, writeOnnxModel } from '../onnx-model.ts'
import { inferShapes, type TensorInfo } from '../shape-inference.ts'
import type { Operand } from '../testing/operands.ts'
import { type OperatorCase, operatorCases } from '../testing/operator-cases.ts'
import { createOperatorModel, type IsStored } from '../testing/operator-model.ts'

function inferOutputs(operatorCase: OperatorCase, isStored: IsStored) {
  const { tensors, failures } = inferShapes(createOperatorModel(operatorCase, isStored), { batch: 2 })
  expect([...failures.values()]).toEqual([])
  // Declared as inferred, so that ONNX Runtime refuses a wrong type or rank; sizes are compared afterwards.
  const model = createOperatorModel(operatorCase, isStored, (name) => tensors.get(name) ?? { type: null, dims: [] })
  return { model, tensors }
}

async function run(model: OnnxModel, operands: OperatorCase['operands'], isStored: IsStored) {
  const session = await InferenceSession.create(writeOnnxModel(model), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { force_spinning_stop: '1' } },
  })
  const feeds: Record<string, OrtTensor> = {}
  for (const [index, operand] of operands.entries()) {
    if (operand === null || isStored(operand)) continue
    const { type, data, dims } = operand.tensor
    feeds[`x${index}`] = new OrtTensor(type, data, dims)
  }
  const results = await session.run(feeds)
  await session.release()
  return results
}

const isFixed = ({ isConstant }: Operand) => isConstant
const isAny = () => true

function describeCase({ operator, operands, attributes = {}, opset = 17 }: OperatorCase): string {
  const shapes = operands.map((operand) => (operand === null ? '-' : `[${operand.tensor.dims.join(', ')}]`))
  const toText = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
  const settings = Object.entries(attributes).map(([name, value]) => `${name} ${JSON.stringify(value, toText)}`)
  return [operator, ...shapes, ...settings, `opset ${opset}`].join(' ')
}

const titledCases = operatorCases.map((operatorCase) => [describeCase(operatorCase), operatorCase] as const)

describe('shapes, types and folded values equal those of ONNX Runtime', () => {
  test.each(titledCases)('%s', async (_, operatorCase) => {
    const { model, tensors } = inferOutputs(operatorCase, isFixed)
    await expectSameAsOnnxRuntime(model, tensors, operatorCase, isFixed)
  })

  test.each(titledCases)('%s, of constants', async (_, operatorCase) => {
    const { model, tensors } = inferOutputs(operatorCase, isAny)
    await expectSameAsOnnxRuntime(model, tensors, operatorCase, isAny)
  })
})

test('operators that shape arithmetic is made of are folded', () => {
  const unfolded = operatorCases
    .filter(({ operator }) => shapeArithmetic.has(operator))
    .filter((operatorCase) =>
      [...inferOutputs(operatorCase, isAny).tensors.values()].some(({ value }) => value === null),
    )
  expect(unfolded.map(describeCase)).toEqual([])
})

const shapeArithmetic = new Set([
  ...[
    'Abs',
    'Add',
    'And',
    'Cast',
    'CastLike',
    'Ceil',
    'Concat',
    'Constant',
    'ConstantOfShape',
    'Div',
    'Equal',
    'Expand',
  ],
  ...[
    'Flatten',
    'Floor',
    'Gather',
    'Greater',
    'GreaterOrEqual',
    'Identity',
    'Less',
    'LessOrEqual',
    'Max',
    'Min',
    'Mod',
  ],
  ...[
    'Mul',
    'Neg',
    'Not',
    'Or',
    'Pow',
    'Range',
    'Reshape',
    'Shape',
    'Size',
    'Slice',
    'Split',
    'Sqrt',
    'Squeeze',
    'Sub',
  ],
  ...['Sum', 'Tile', 'Transpose', 'Unsqueeze', 'Where', 'Xor'],
])

async function expectSameAsOnnxRuntime(
  model: OnnxModel,
  tensors: ReadonlyMap<string, TensorInfo>,
  { operands }: OperatorCase,
  isStored: IsStored,
) {
  const results = await run(model, operands, isStored)
  for (const [name, result] of Object.entries(results)) {
    const info = tensors.get(name)
    expect({ name, type: info?.type, dims: info?.dims }).toEqual({ name, type: result.type, dims: result.dims })
    if (info?.value) expectSameValues(info.value.data, result.data)
  }
}

function expectSameValues(actual: ArrayLike<unknown>, expected: ArrayLike<unknown>) {
  const [left, right] = [Array.from(actual, Number), Array.from(expected, Number)]
  expect(left).toHaveLength(right.length)
  for (const [index, value] of left.entries()) expect(value).toBeCloseTo(right[index] ?? Number.NaN, 5)
}
