import type { Tensor } from '@sluice/core'
import { type AttributeValue, float } from '../graph-builder.ts'
import { seededValues } from './seeded-values.ts'

/** One node to compare with ONNX Runtime. */
export interface OperatorCase {
  readonly operator: string
  /** Null leaves an optional input out. */
  readonly operands: readonly (Operand | null)[]
  readonly attributes?: { readonly [name: string]: AttributeValue }
  readonly opset?: number
  readonly outputs?: number
}

/** An input of the node: fed at run time, or stored as a constant where the output's shape depends on its values. */
export interface Operand {
  readonly tensor: Tensor
  readonly isConstant: boolean
}

const fed = (tensor: Tensor): Operand => ({ tensor, isConstant: false })
const constant = (tensor: Tensor): Operand => ({ tensor, isConstant: true })

const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1)

/** Seeded float32 values of a shape. */
const data = (...dims: number[]) => fed({ type: 'float32', dims, data: seededValues(count(dims), count(dims) + 1) })
/** float32 values of a shape, none of them negative. */
const positive = (...dims: number[]) =>
  fed({ type: 'float32', dims, data: seededValues(count(dims), 5).map((value) => value + 1.5) })
const bytes = (...dims: number[]) =>
  fed({ type: 'uint8', dims, data: Uint8Array.from(seededValues(count(dims), 7), (value) => 100 + 99 * value) })
const bools = (...dims: number[]) =>
  fed({ type: 'bool', dims, data: Uint8Array.from(seededValues(count(dims), 3), (value) => Number(value > 0)) })
/** int64 values 1, 2, 3, ... of a shape. */
const counting = (...dims: number[]) =>
  fed({ type: 'int64', dims, data: BigInt64Array.from({ length: count(dims) }, (_, index) => BigInt(index + 1)) })
const list = (...values: number[]) =>
  constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
const scalar = (value: number) => constant({ type: 'int64', dims: [], data: BigInt64Array.of(BigInt(value)) })
const floats = (...values: number[]) =>
  constant({ type: 'float32', dims: [values.length], data: Float32Array.from(values) })
const floatScalar = (value: number) => constant({ type: 'float32', dims: [], data: Float32Array.of(value) })
const byteScalar = (value: number) => constant({ type: 'uint8', dims: [], data: Uint8Array.of(value) })
const emptyRows = constant({ type: 'float32', dims: [0, 3], data: new Float32Array(0) })
const farEnd = constant({ type: 'int64', dims: [1], data: BigInt64Array.of(2n ** 63n - 1n) })
const farStart = constant({ type: 'int64', dims: [1], data: BigInt64Array.of(-(2n ** 63n)) })

/** Every operator family, with the attributes that change its output's shape, in old and new operator sets. */
export const operatorCases: readonly OperatorCase[] = [
  // Convolutions
  { operator: 'Conv', operands: [data(2, 3, 8, 9), data(4, 3, 3, 3)] },
  {
    operator: 'Conv',
    operands: [data(1, 4, 9, 9), data(6, 2, 3, 5), data(6)],
    attributes: { group: 2, strides: [2, 3], pads: [1, 0, 2, 1] },
  },
  {
    operator: 'Conv',
    operands: [data(1, 2, 12), data(3, 2, 3)],
    attributes: { dilations: [2], pads: [1, 1], kernel_shape: [3] },
  },
  { operator: 'Conv', operands: [data(1, 2, 5, 6, 7), data(3, 2, 3, 3, 3)] },
  {
    operator: 'Conv',
    operands: [data(1, 3, 7, 8), data(2, 3, 4, 4)],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 3] },
  },
  {
    operator: 'Conv',
    operands: [data(1, 3, 7, 8), data(2, 3, 4, 4)],
    attributes: { auto_pad: 'SAME_LOWER' },
    opset: 11,
  },
  {
    operator: 'Conv',
    operands: [data(1, 3, 7, 8), data(2, 3, 4, 4)],
    attributes: { auto_pad: 'VALID', strides: [2, 2] },
  },
  { operator: 'ConvInteger', operands: [bytes(1, 3, 5, 5), bytes(2, 3, 3, 3)] },
  {
    operator: 'QLinearConv',
    operands: [
      bytes(1, 3, 5, 5),
      floatScalar(0.1),
      byteScalar(9),
      bytes(2, 3, 3, 3),
      floatScalar(0.1),
      byteScalar(9),
      floatScalar(2),
      byteScalar(9),
    ],
  },
  {
    operator: 'ConvTranspose',
    operands: [data(1, 4, 5, 6), data(4, 3, 3, 3)],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  },
  {
    operator: 'ConvTranspose',
    operands: [data(1, 4, 5, 6), data(4, 3, 3, 3)],
    attributes: { group: 2, dilations: [2, 1] },
  },
  {
    operator: 'ConvTranspose',
    operands: [data(1, 4, 5, 6), data(4, 3, 3, 3)],
    attributes: { strides: [2, 3], auto_pad: 'SAME_UPPER' },
  },
  {
    operator: 'ConvTranspose',
    operands: [data(1, 4, 5, 6), data(4, 3, 3, 3)],
    attributes: { strides: [2, 2], output_shape: [10, 13] },
  },
  { operator: 'ConvTranspose', operands: [data(1, 2, 5), data(2, 3, 1)], attributes: { strides: [3] } },
  // Pooling
  { operator: 'MaxPool', operands: [data(1, 2, 7, 8)], attributes: { kernel_shape: [3, 3], strides: [2, 2] } },
  {
    operator: 'MaxPool',
    operands: [data(1, 2, 7, 8)],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
  },
  {
    operator: 'MaxPool',
    operands: [data(1, 2, 5, 6)],
    attributes: { kernel_shape: [2, 2], strides: [4, 4], pads: [1, 1, 1, 1], ceil_mode: 1 },
  },
  { operator: 'MaxPool', operands: [data(1, 2, 9)], attributes: { kernel_shape: [3], dilations: [2] }, outputs: 2 },
  {
    operator: 'MaxPool',
    operands: [data(1, 2, 7, 8)],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' },
    opset: 11,
  },
  {
    operator: 'AveragePool',
    operands: [data(1, 2, 7, 8)],
    attributes: { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 },
  },
  {
    operator: 'AveragePool',
    operands: [data(1, 2, 7, 8)],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
    opset: 11,
  },
  {
    operator: 'AveragePool',
    operands: [data(1, 2, 7, 8)],
    attributes: { kernel_shape: [2, 2], strides: [3, 3], auto_pad: 'VALID' },
  },
  {
    operator: 'AveragePool',
    operands: [data(1, 2, 9, 9)],
    attributes: { kernel_shape: [3, 3], dilations: [2, 2] },
    opset: 19,
  },
  { operator: 'LpPool', operands: [data(1, 2, 7, 8)], attributes: { kernel_shape: [3, 3] } },
  { operator: 'GlobalAveragePool', operands: [data(2, 3, 7, 8)] },
  { operator: 'GlobalMaxPool', operands: [data(2, 3, 7)] },
  { operator: 'GlobalLpPool', operands: [data(2, 3, 7, 8)] },
  // Matrix products
  { operator: 'MatMul', operands: [data(3, 4), data(4, 5)] },
  { operator: 'MatMul', operands: [data(2, 1, 3, 4), data(6, 4, 5)] },
  { operator: 'MatMul', operands: [data(4), data(2, 4, 5)] },
  { operator: 'MatMul', operands: [data(2, 3, 4), data(4)] },
  { operator: 'MatMul', operands: [data(4), data(4)] },
  { operator: 'MatMulInteger', operands: [bytes(3, 4), bytes(4, 5)] },
  {
    operator: 'QLinearMatMul',
    operands: [
      bytes(3, 4),
      floatScalar(0.1),
      byteScalar(9),
      bytes(4, 5),
      floatScalar(0.1),
      byteScalar(9),
      floatScalar(2),
      byteScalar(9),
    ],
  },
  { operator: 'Gemm', operands: [data(3, 4), data(4, 5), data(5)] },
  {
    operator: 'Gemm',
    operands: [data(4, 3), data(5, 4)],
    attributes: { transA: 1, transB: 1, alpha: float(2) },
    opset: 11,
  },
  {
    operator: 'Einsum',
    operands: [data(2, 3, 4, 5), data(2, 3, 6, 5)],
    attributes: { equation: 'bhqd, bhkd -> bhqk' },
  },
  { operator: 'Einsum', operands: [data(3, 4), data(4, 5)], attributes: { equation: 'zj,jk' } },
  { operator: 'Einsum', operands: [data(3, 4)], attributes: { equation: 'ij->ji' } },
  // Normalisation
  { operator: 'BatchNormalization', operands: [data(2, 3, 4), data(3), data(3), data(3), positive(3)] },
  {
    operator: 'BatchNormalization',
    operands: [data(2, 3, 4), data(3), data(3), data(3), positive(3)],
    attributes: { training_mode: 1 },
    outputs: 3,
  },
  { operator: 'InstanceNormalization', operands: [data(2, 3, 4), data(3), data(3)] },
  { operator: 'LayerNormalization', operands: [data(2, 3, 4), data(4), data(4)], outputs: 3 },
  { operator: 'LayerNormalization', operands: [data(2, 3, 4), data(3, 4)], attributes: { axis: 1 } },
  {
    operator: 'GroupNormalization',
    operands: [data(2, 4, 3), data(4), data(4)],
    attributes: { num_groups: 2 },
    opset: 21,
  },
  { operator: 'LpNormalization', operands: [data(2, 4)] },
  { operator: 'LRN', operands: [data(1, 4, 3, 3)], attributes: { size: 3 } },
  // Activations and other unary operators
  ...['Relu', 'Sigmoid', 'Tanh', 'Erf', 'Exp', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Softplus', 'Softsign', 'Sign'].map(
    (operator) => ({ operator, operands: [data(2, 3)] }),
  ),
  ...['HardSigmoid', 'HardSwish', 'ThresholdedRelu', 'Softmax', 'LogSoftmax', 'Hardmax'].map((operator) => ({
    operator,
    operands: [data(2, 3)],
  })),
  ...['Abs', 'Neg', 'Ceil', 'Floor', 'Identity', 'Reciprocal', 'Round', 'Cos', 'Sin'].map((operator) => ({
    operator,
    operands: [data(2, 3)],
  })),
  ...['Sqrt', 'Log'].map((operator) => ({ operator, operands: [positive(2, 3)] })),
  ...['Mish', 'Gelu'].map((operator) => ({ operator, operands: [data(2, 3)], opset: 20 })),
  { operator: 'Softmax', operands: [data(2, 3, 4)], attributes: { axis: 1 }, opset: 11 },
  { operator: 'Clip', operands: [data(2, 3), floatScalar(0), floatScalar(6)] },
  { operator: 'Clip', operands: [data(2, 3), null, floatScalar(6)], opset: 11 },
  { operator: 'Dropout', operands: [data(2, 3)], outputs: 2, opset: 11 },
  { operator: 'Dropout', operands: [data(2, 3), floatScalar(0.5)], outputs: 2 },
  { operator: 'CumSum', operands: [data(2, 3), scalar(1)] },
  { operator: 'Trilu', operands: [data(3, 3)] },
  // Arithmetic, comparison and logic
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean', 'PRelu'].map((operator) => ({
    operator,
    operands: [data(2, 3, 4), data(3, 1)],
  })),
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Max', 'Min'].map((operator) => ({
    operator,
    operands: [counting(2, 1, 3), list(-2, 3, 5)],
  })),
  ...['Add', 'Div', 'Mod'].map((operator) => ({ operator, operands: [list(-7, 7, -6), list(2, -2, 4)] })),
  { operator: 'Mod', operands: [list(-7, 7, -6), list(2, -2, 4)], attributes: { fmod: 1 } },
  { operator: 'Max', operands: [data(2, 3), data(3), data(1)] },
  { operator: 'Pow', operands: [positive(2, 3), data(3)] },
  { operator: 'Pow', operands: [counting(2, 2), list(2, 3)] },
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((operator) => ({
    operator,
    operands: [counting(2, 3), list(2, 2, 9)],
  })),
  ...['And', 'Or', 'Xor'].map((operator) => ({ operator, operands: [bools(2, 3), bools(3)] })),
  { operator: 'Not', operands: [bools(2, 3)] },
  { operator: 'IsNaN', operands: [data(2, 3)] },
  { operator: 'Where', operands: [bools(2, 1, 3), counting(4, 3), scalar(9)] },
  // Conversions
  { operator: 'Cast', operands: [data(2, 3)], attributes: { to: 7 } },
  { operator: 'Cast', operands: [list(-1, 0, 2)], attributes: { to: 9 } },
  { operator: 'Cast', operands: [list(-1, 0, 2)], attributes: { to: 1 }, opset: 11 },
  { operator: 'CastLike', operands: [data(2, 3), counting(1)] },
  { operator: 'QuantizeLinear', operands: [data(2, 3), floatScalar(0.1), byteScalar(9)] },
  { operator: 'QuantizeLinear', operands: [data(2, 3), floatScalar(0.1)] },
  { operator: 'DequantizeLinear', operands: [bytes(2, 3), floatScalar(0.1), byteScalar(9)] },
  { operator: 'DynamicQuantizeLinear', operands: [data(2, 3)], outputs: 3 },
  // Shapes as values
  { operator: 'Shape', operands: [data(2, 3, 4)] },
  { operator: 'Shape', operands: [data(2, 3, 4)], attributes: { start: 1 } },
  { operator: 'Shape', operands: [data(2, 3, 4)], attributes: { start: -2, end: -1 } },
  { operator: 'Shape', operands: [data(2, 3, 4)], attributes: { start: 2, end: 1 } },
  { operator: 'Shape', operands: [data(2, 3, 4)], attributes: { start: -9, end: 9 } },
  { operator: 'Size', operands: [data(2, 3, 4)] },
  // Constants
  {
    operator: 'Constant',
    operands: [],
    attributes: { value: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(3n, -4n) } },
  },
  { operator: 'Constant', operands: [], attributes: { value_int: 3 } },
  { operator: 'Constant', operands: [], attributes: { value_ints: [3, 4] } },
  { operator: 'Constant', operands: [], attributes: { value_float: float(0.5) } },
  { operator: 'Constant', operands: [], attributes: { value_floats: float([0.5, 2]) } },
  { operator: 'ConstantOfShape', operands: [list(2, 3)] },
  {
    operator: 'ConstantOfShape',
    operands: [list(2, 3)],
    attributes: { value: { type: 'int64', dims: [1], data: BigInt64Array.of(-1n) } },
  },
  { operator: 'ConstantOfShape', operands: [list()] },
  { operator: 'Range', operands: [scalar(2), scalar(9), scalar(3)] },
  { operator: 'Range', operands: [scalar(9), scalar(2), scalar(-2)] },
  { operator: 'Range', operands: [scalar(2), scalar(2), scalar(1)] },
  { operator: 'Range', operands: [floatScalar(0), floatScalar(1), floatScalar(0.25)] },
  // Same elements, other shape
  { operator: 'Reshape', operands: [counting(2, 3, 4), list(6, 4)] },
  { operator: 'Reshape', operands: [counting(2, 3, 4), list(0, -1)] },
  { operator: 'Reshape', operands: [counting(2, 3, 4), list(4, 0, -1)], opset: 11 },
  { operator: 'Reshape', operands: [emptyRows, list(3, 0)], attributes: { allowzero: 1 } },
  { operator: 'Reshape', operands: [counting(1), list()] },
  { operator: 'Flatten', operands: [counting(2, 3, 4)] },
  { operator: 'Flatten', operands: [counting(2, 3, 4)], attributes: { axis: 0 } },
  { operator: 'Flatten', operands: [counting(2, 3, 4)], attributes: { axis: 3 } },
  { operator: 'Flatten', operands: [counting(2, 3, 4)], attributes: { axis: -1 }, opset: 11 },
  { operator: 'Squeeze', operands: [counting(1, 3, 1, 2)] },
  { operator: 'Squeeze', operands: [counting(1, 3, 1, 2), list(-2)] },
  { operator: 'Squeeze', operands: [counting(1, 3, 1, 2)], attributes: { axes: [0, 2] }, opset: 11 },
  { operator: 'Unsqueeze', operands: [counting(3, 2), list(0, -1)] },
  { operator: 'Unsqueeze', operands: [counting(3, 2)], attributes: { axes: [1, 3] }, opset: 11 },
  { operator: 'Transpose', operands: [counting(2, 3, 4)] },
  { operator: 'Transpose', operands: [counting(2, 3, 4)], attributes: { perm: [2, 0, 1] } },
  // Joining, cutting, padding, repeating
  { operator: 'Concat', operands: [counting(2, 3), counting(2, 1), counting(2, 2)], attributes: { axis: -1 } },
  { operator: 'Concat', operands: [data(2, 3), emptyRows], attributes: { axis: 0 }, opset: 11 },
  { operator: 'Split', operands: [counting(6, 2), list(1, 5)], outputs: 2 },
  { operator: 'Split', operands: [counting(6, 2)], attributes: { axis: 1, split: [1, 1] }, opset: 11, outputs: 2 },
  { operator: 'Split', operands: [counting(6, 2)], outputs: 3 },
  { operator: 'Split', operands: [counting(7, 2)], attributes: { num_outputs: 3 }, opset: 18, outputs: 3 },
  { operator: 'Slice', operands: [counting(5, 6), list(1, -3), list(4, 100)] },
  { operator: 'Slice', operands: [counting(5, 6), list(1), farEnd, list(-1), list(2)], opset: 11 },
  { operator: 'Slice', operands: [counting(5), list(-1), farStart, list(0), list(-2)] },
  { operator: 'Slice', operands: [counting(5), list(3), list(1)] },
  { operator: 'Slice', operands: [counting(5), list(100), list(-100), list(0), list(-1)] },
  { operator: 'Slice', operands: [counting(5, 6), list(-100), list(3), null, list(1)] },
  { operator: 'Pad', operands: [data(2, 3), list(0, 1, 2, 1)] },
  {
    operator: 'Pad',
    operands: [data(4, 5), list(-1, 0, 0, -2), floatScalar(0)],
    attributes: { mode: 'constant' },
    opset: 11,
  },
  {
    operator: 'Pad',
    operands: [data(1, 2, 4), list(1, 2), null, list(-1)],
    attributes: { mode: 'reflect' },
    opset: 18,
  },
  { operator: 'Expand', operands: [counting(3, 1), list(2, 1, 4)] },
  { operator: 'Expand', operands: [counting(2, 3, 4), list(3, 1)] },
  { operator: 'Tile', operands: [counting(2, 3), list(2, 2)] },
  { operator: 'Resize', operands: [data(1, 2, 3, 4), null, floats(1, 1, 2, 1.3)] },
  { operator: 'Resize', operands: [data(1, 2, 3, 4), null, null, list(1, 2, 6, 5)] },
  { operator: 'Resize', operands: [data(1, 2, 3, 4), null, floats(2, 2)], attributes: { axes: [2, 3] }, opset: 18 },
  { operator: 'DepthToSpace', operands: [data(1, 8, 2, 3)], attributes: { blocksize: 2 } },
  { operator: 'SpaceToDepth', operands: [data(1, 2, 4, 6)], attributes: { blocksize: 2 } },
  // By index
  { operator: 'Gather', operands: [counting(4, 3), scalar(-1)] },
  { operator: 'Gather', operands: [counting(4, 3), list(2, 0)], attributes: { axis: 1 } },
  {
    operator: 'GatherElements',
    operands: [data(2, 3), constant({ type: 'int64', dims: [1, 3], data: BigInt64Array.of(0n, 1n, 1n) })],
  },
  {
    operator: 'GatherND',
    operands: [
      data(2, 3, 4),
      constant({ type: 'int64', dims: [3, 2], data: BigInt64Array.of(0n, 1n, 1n, 2n, 0n, 0n) }),
    ],
  },
  {
    operator: 'GatherND',
    operands: [data(2, 3, 4), constant({ type: 'int64', dims: [2, 1], data: BigInt64Array.of(0n, 1n) })],
    attributes: { batch_dims: 1 },
  },
  {
    operator: 'ScatterND',
    operands: [data(4, 3), constant({ type: 'int64', dims: [1, 1], data: BigInt64Array.of(2n) }), data(1, 3)],
  },
  { operator: 'OneHot', operands: [counting(2, 2), scalar(6), floats(0, 1)] },
  { operator: 'OneHot', operands: [counting(2, 2), list(6), floats(0, 1)], attributes: { axis: 1 } },
  // Reductions
  ...['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].map((name) => ({
    operator: `Reduce${name}`,
    operands: [positive(2, 3, 4), list(1)],
    opset: 18,
  })),
  ...['Max', 'Mean', 'Min'].map((name) => ({
    operator: `Reduce${name}`,
    operands: [data(2, 3, 4)],
    attributes: { axes: [-1, 0], keepdims: 0 },
    opset: 11,
  })),
  { operator: 'ReduceSum', operands: [data(2, 3, 4)] },
  { operator: 'ReduceSum', operands: [data(2, 3, 4)], attributes: { keepdims: 0 } },
  { operator: 'ReduceSum', operands: [data(2, 3, 4)], attributes: { noop_with_empty_axes: 1 } },
  { operator: 'ReduceMean', operands: [data(2, 3, 4), list(2, 1)], attributes: { keepdims: 0 }, opset: 18 },
  { operator: 'ArgMax', operands: [data(2, 3, 4)], attributes: { axis: -1 } },
  { operator: 'ArgMin', operands: [data(2, 3, 4)], attributes: { axis: 1, keepdims: 0 } },
  { operator: 'TopK', operands: [data(2, 5), list(3)], outputs: 2 },
]
