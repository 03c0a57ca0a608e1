import { describeTensorProto } from '../describe-tensor-proto.ts'
import { type AttributeProto, AttributeProto_AttributeType as AttributeType } from '../generated/onnx_pb.ts'
import { describeConstant, describeTensor, type TensorInfo } from '../tensor-info.ts'
import { fold, readBroadcast } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** The value of `Constant` in each form that its attribute can have. Strings are of no use to shape arithmetic. */
const constantForms: { readonly [Kind in AttributeType]?: (attribute: AttributeProto) => TensorInfo } = {
  [AttributeType.TENSOR]: ({ t }) => (t === undefined ? describeTensor(null, []) : describeTensorProto(t, null)),
  [AttributeType.INT]: ({ i }) => describeConstant({ type: 'int64', dims: [], data: BigInt64Array.of(i) }),
  [AttributeType.INTS]: ({ ints }) =>
    describeConstant({ type: 'int64', dims: [ints.length], data: BigInt64Array.from(ints) }),
  [AttributeType.FLOAT]: ({ f }) => describeConstant({ type: 'float32', dims: [], data: Float32Array.of(f) }),
  [AttributeType.FLOATS]: ({ floats }) =>
    describeConstant({ type: 'float32', dims: [floats.length], data: Float32Array.from(floats) }),
  [AttributeType.STRING]: () => describeTensor(null, []),
  [AttributeType.STRINGS]: ({ strings }) => describeTensor(null, [strings.length]),
}

const constant: OperatorRule = {
  types: ['Constant'],
  infer(context) {
    const [attribute] = context.node.attribute
    const form = attribute && constantForms[attribute.type]
    if (attribute === undefined || form === undefined)
      throw context.error('its value is missing or of a kind that is not read, e.g. sparse')
    return [form(attribute)]
  },
}

/** A tensor filled with one value, 0 of float32 unless given. */
const constantOfShape: OperatorRule = {
  types: ['ConstantOfShape'],
  infer(context) {
    const dims = context.constant(0) ?? []
    const proto = context.attribute('value')?.t
    const filling = proto
      ? describeTensorProto(proto, null)
      : describeConstant({ type: 'float32', dims: [1], data: Float32Array.of(0) })
    return [
      fold(
        filling.type,
        dims,
        [filling],
        ([value]) =>
          () =>
            value &&
            readBroadcast(
              value,
              value.dims.map(() => 0),
            ),
      ),
    ]
  },
}

/** `start`, `start + delta`, ... up to but without `limit`. */
const range: OperatorRule = {
  types: ['Range'],
  infer(context) {
    const inputs = [context.input(0), context.input(1), context.input(2)]
    const [start = 0, limit = 0, delta = 0] = inputs.map((_, index) => context.constant(index)?.[0])
    if (delta === 0) throw context.error('its step is 0')
    const dims = [Math.max(0, Math.ceil((limit - start) / delta))]
    return [
      fold(
        context.input(0).type,
        dims,
        inputs,
        () =>
          ([index = 0]) =>
            start + index * delta,
      ),
    ]
  },
}

/** The rules of operators that make constants. */
export const constantRules: readonly OperatorRule[] = [constant, constantOfShape, range]
