import { elementTypeCode, type GraphBuilder } from '@sluice/onnx-graph'
import { floatConstant, integerConstant } from './graph-constants.ts'

/** Keeps a channel that never changes from a division by zero. */
export const normalisationEpsilon = 1e-5

/** What a normalisation leaves for the backward pass. */
export interface Normalisation {
  /** `[batch * positions, channels]`, scaled and shifted. */
  readonly rows: string
  /** The same ahead of scale and shift. */
  readonly normalised: string
  /** 1 / standard deviation, `[1, channels]`. */
  readonly inverse: string
}

/**
 * Appends batch normalisation (Ioffe and Szegedy, arXiv 1502.03167, algorithm 1): every column has mean 0 and deviation 1
 * within the batch, then `scale` and `shift` `[channels]`.
 */
export function appendNormalisation(
  builder: GraphBuilder,
  rows: string,
  scale: string,
  shift: string,
  layer: number,
): Normalisation {
  const averageRows = (values: string) => builder.node('ReduceMean', [values], { axes: [0], keepdims: 1 })
  const epsilon = floatConstant(builder, `normalisation_${layer}_epsilon`, normalisationEpsilon)
  const centred = builder.node('Sub', [rows, averageRows(rows)])
  const variance = averageRows(builder.node('Mul', [centred, centred]))
  const inverse = builder.node('Reciprocal', [builder.node('Sqrt', [builder.node('Add', [variance, epsilon])])])
  const normalised = builder.node('Mul', [centred, inverse])
  const scaled = builder.node('Add', [builder.node('Mul', [normalised, scale]), shift])
  return { rows: scaled, normalised, inverse }
}

/**
 * Appends the gradients by scale and shift, and by the rows ahead of the normalisation.
 * @param gradient name of the gradient by what the normalisation yields
 */
export function appendNormalisationGradient(
  builder: GraphBuilder,
  { normalised, inverse }: Normalisation,
  scale: string,
  gradient: string,
  layer: number,
): { readonly scale: string; readonly shift: string; readonly rows: string } {
  const axis = integerConstant(builder, `normalisation_${layer}_axis`, [0])
  const sumRows = (values: string) => builder.node('ReduceSum', [values, axis], { keepdims: 0 })
  const count = builder.node('Cast', [builder.node('Gather', [builder.node('Shape', [gradient]), axis])], {
    to: elementTypeCode('float32'),
  })
  const shiftGradient = sumRows(gradient)
  const scaleGradient = sumRows(builder.node('Mul', [gradient, normalised]))
  const share = (sum: string) => builder.node('Div', [sum, count])
  const along = builder.node('Mul', [normalised, share(scaleGradient)])
  const across = builder.node('Sub', [builder.node('Sub', [gradient, share(shiftGradient)]), along])
  return {
    scale: scaleGradient,
    shift: shiftGradient,
    rows: builder.node('Mul', [across, builder.node('Mul', [inverse, scale])]),
  }
}
