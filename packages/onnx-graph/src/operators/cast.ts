import type { DataType } from '@sluice/core'
import type { TensorInfo } from '../tensor-info.ts'
import { dataTypeOf } from '../tensor-proto.ts'
import { fold, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

const cast: OperatorRule = {
  types: ['Cast'],
  infer(context) {
    const code = context.int('to')
    if (code === undefined) throw context.error("its attribute 'to' is missing")
    return [castTo(dataTypeOf(code) ?? null, context.input(0))]
  },
}

const castLike: OperatorRule = {
  types: ['CastLike'],
  infer: (context) => [castTo(context.input(1).type, context.input(0))],
}

/** The rules of conversions between element types; the shape stays. */
export const castRules: readonly OperatorRule[] = [cast, castLike]

function castTo(type: DataType | null, input: TensorInfo): TensorInfo {
  return fold(
    type,
    input.dims,
    [input],
    ([value]) =>
      (position) =>
        value && readElement(value, position),
  )
}
