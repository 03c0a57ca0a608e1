import { InvalidArgumentError } from '@sluice/core'
import { UnsupportedGraphError } from './errors.ts'
import type { ValueInfoProto } from './generated/onnx_pb.ts'
import { createValueInfo, type Dimension } from './graph-builder.ts'
import { initializerNames } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'
import { describeTensor, type TensorInfo } from './tensor-info.ts'
import { dataTypeOf } from './tensor-proto.ts'

/** A batch size, and what the caller says about input shapes. */
export interface InputShapeOptions {
  /** Rows in the batch: the size of every input's first axis, unless the model fixes it. */
  readonly batch: number
  /**
   * Shape of the first input, replacing the declared one. Its first size counts only where the model fixes the batch.
   * A symbolic size of another input is taken from here too, where the first input has one of that name.
   */
  readonly inputShape?: readonly number[]
}

/** Inputs that the caller of a network feeds: those declared, without the initialisers that old files declare too. */
export function listInputs({ graph }: OnnxModel): ValueInfoProto[] {
  const initializers = initializerNames(graph)
  return graph.input.filter(({ name }) => !initializers.has(name))
}

/** The declared shape of an input or output; '' for nameless sizes, undefined where the file declares no shape. */
export function declaredShape({ type }: ValueInfoProto): Dimension[] | undefined {
  if (type?.value.case !== 'tensorType') return undefined
  return type.value.value.shape?.dim.map(({ value }) => {
    if (value.case === 'dimParam') return value.value
    return value.case === 'dimValue' && value.value > 0n ? Number(value.value) : ''
  })
}

/** A declaration with another name for the first size; as it is where it has no shape, or a type without a name here. */
export function renameBatch(info: ValueInfoProto, name: string): ValueInfoProto {
  const [batch, ...rest] = declaredShape(info) ?? []
  const type = info.type?.value.case === 'tensorType' ? dataTypeOf(info.type.value.value.elemType) : undefined
  return batch === undefined || type === undefined ? info : createValueInfo(info.name, type, [name, ...rest])
}

/**
 * How to describe each input of a network.
 * @returns by input name, a function that throws an InvalidArgumentError when a size is neither declared nor given, and
 *   an UnsupportedGraphError when the input is no tensor
 * @throws InvalidArgumentError when the options hold no positive integers, or `inputShape` has another rank than declared
 */
export function createInputDescriptions(model: OnnxModel, options: InputShapeOptions): Map<string, () => TensorInfo> {
  checkOptions(options)
  const inputs = listInputs(model)
  const sizes = collectNamedSizes(inputs[0], options)
  return new Map(
    inputs.map((input, index) => {
      const given = index === 0 ? options.inputShape : undefined
      return [input.name, () => describeTensor(elementType(input), resolveShape(input, given, sizes, options.batch))]
    }),
  )
}

function checkOptions({ batch, inputShape = [] }: InputShapeOptions): void {
  const odd = [batch, ...inputShape].find((size) => !Number.isSafeInteger(size) || size < 1)
  if (odd === undefined) return
  throw new InvalidArgumentError(`An input shape holds ${odd}; give positive integers, e.g. --input 1,3,224,224.`)
}

function collectNamedSizes(first: ValueInfoProto | undefined, { batch, inputShape }: InputShapeOptions) {
  const declared = (first && declaredShape(first)) ?? []
  if (first && inputShape && declared.length > 0 && declared.length !== inputShape.length) {
    throw new InvalidArgumentError(
      `Input '${first.name}' has ${declared.length} dimensions, the shape given has ${inputShape.length}: [${inputShape.join(', ')}].`,
    )
  }
  const sizes = new Map<string, number>()
  for (const [axis, dimension] of declared.entries()) {
    const size = axis === 0 ? batch : inputShape?.[axis]
    if (typeof dimension === 'string' && dimension !== '' && size !== undefined) sizes.set(dimension, size)
  }
  return sizes
}

function resolveShape(
  input: ValueInfoProto,
  given: readonly number[] | undefined,
  sizes: ReadonlyMap<string, number>,
  batch: number,
): number[] {
  const declared = declaredShape(input) ?? given?.map((size, axis) => (axis === 0 ? '' : size))
  if (declared === undefined) {
    throw new InvalidArgumentError(`Input '${input.name}' declares no shape. Give one, e.g. --input 1,3,224,224.`)
  }
  return declared.map((dimension, axis) => {
    const isBatch = axis === 0 && typeof dimension === 'string'
    const size = isBatch ? (sizes.get(dimension) ?? batch) : (given?.[axis] ?? knownSize(dimension, sizes))
    if (size !== undefined) return size
    throw new InvalidArgumentError(
      `Input '${input.name}' has no fixed size in dimension ${axis} ('${dimension}'). Give the whole shape, e.g. --input 1,3,224,224.`,
    )
  })
}

function knownSize(dimension: Dimension, sizes: ReadonlyMap<string, number>): number | undefined {
  return typeof dimension === 'number' ? dimension : sizes.get(dimension)
}

function elementType({ name, type }: ValueInfoProto) {
  if (type?.value.case === 'tensorType') return dataTypeOf(type.value.value.elemType) ?? null
  throw new UnsupportedGraphError(`Input '${name}' is no tensor. Export a network that takes tensors.`)
}
