import {
  countConvolvedPositions,
  type GraphBuilder,
  type HeadConvolution,
  type HeadLayerShape,
} from '@sluice/onnx-graph'
import type { FeatureMap } from './feature-store.ts'
import { integerConstant } from './graph-constants.ts'

/** Places of a window. */
const windowPlaces = 9

/** Most windows that one position stands in: the places are three on an axis, and the windows two apart. */
const windowsOfPosition = 4

/**
 * Where each window's places stand in a map, `[windows, 9]` flattened; a place outside is `height * width`, the index behind the
 * last position.
 */
export function indexWindows({ height, width }: HeadConvolution): number[] {
  const index: number[] = []
  for (let top = -1; top < height - 1 + (height % 2); top += 2) {
    for (let left = -1; left < width - 1 + (width % 2); left += 2) {
      for (let place = 0; place < windowPlaces; place++) {
        const [y, x] = [top + Math.floor(place / 3), left + (place % 3)]
        const isInside = y >= 0 && y < height && x >= 0 && x < width
        index.push(isInside ? y * width + x : height * width)
      }
    }
  }
  return index
}

/**
 * Where each position stands among all windows' places, `[positions, 4]` flattened, filled up with the index behind the last
 * place.
 */
export function indexPlaces(map: HeadConvolution): number[] {
  const windows = indexWindows(map)
  return Array.from({ length: map.height * map.width }, (_, position) => {
    const places = windows.flatMap((at, place) => (at === position ? [place] : []))
    return [...places, ...new Array<number>(windowsOfPosition - places.length).fill(windows.length)]
  }).flat()
}

/** Values of a map in one row. */
export function countMapValues({ outer, height, width, inner }: FeatureMap): number {
  return outer * height * width * inner
}

/**
 * Appends the map in rows `[batch, width]`, as {@link appendWindows} takes it.
 * @param others values behind the map in a row
 */
export function appendMap(builder: GraphBuilder, features: string, map: FeatureMap, others: number): string {
  const { outer, height, width, inner } = map
  const values = others === 0 ? features : sliceColumns(builder, 'map', features, 0, countMapValues(map))
  const shape = integerConstant(builder, 'map_shape', [-1, outer, height * width, inner])
  return builder.node('Transpose', [builder.node('Reshape', [values, shape])], { perm: [0, 2, 1, 3] })
}

/**
 * Appends the windows of a convolution, `[batch * windows, 9 * channels]`.
 * @param map name of `[batch, positions, channels]`, or of the same values in another shape
 */
export function appendWindows(builder: GraphBuilder, map: string, shape: ConvolutionShape, layer: number): string {
  const { inputs, convolution } = shape
  const { height, width } = convolution
  const name = `convolution_${layer}`
  const channels = inputs / windowPlaces
  const dims = integerConstant(builder, `${name}_map`, [-1, height * width, channels])
  const values = builder.node('Reshape', [map, dims])
  const windows = gatherPositions(builder, name, values, indexWindows(convolution))
  return builder.node('Reshape', [windows, integerConstant(builder, `${name}_windows`, [-1, inputs])])
}

/**
 * Appends the gradient by a convolution's map, `[batch * positions, channels]`.
 * @param gradient name of the gradient by its windows, `[batch * windows, 9 * channels]`
 */
export function appendMapGradient(
  builder: GraphBuilder,
  gradient: string,
  shape: ConvolutionShape,
  layer: number,
): string {
  const { inputs, convolution } = shape
  const name = `convolution_${layer}_gradient`
  const channels = inputs / windowPlaces
  const places = countConvolvedPositions(convolution) * windowPlaces
  const ofPlaces = builder.node('Reshape', [
    gradient,
    integerConstant(builder, `${name}_places`, [-1, places, channels]),
  ])
  const gathered = gatherPositions(builder, name, ofPlaces, indexPlaces(convolution))
  const dims = integerConstant(builder, `${name}_sums`, [-1, windowsOfPosition, channels])
  const axis = integerConstant(builder, `${name}_axis`, [1])
  return builder.node('ReduceSum', [builder.node('Reshape', [gathered, dims]), axis], { keepdims: 0 })
}

/**
 * Appends what the layer behind a convolution takes, `[batch, positions * channels + others]`.
 * @param outputs name of what the convolution yields, `[batch * positions, channels]`
 */
export function appendFlatMap(
  builder: GraphBuilder,
  outputs: string,
  shape: ConvolutionShape,
  others: readonly string[],
): string {
  const values = countConvolvedPositions(shape.convolution) * shape.outputs
  const flat = builder.node('Reshape', [outputs, integerConstant(builder, 'flat_map', [-1, values])])
  return others.length === 0 ? flat : builder.node('Concat', [flat, ...others], { axis: 1 })
}

/** Appends the gradient by what a convolution yields, `[batch * positions, channels]`, from that by {@link appendFlatMap}. */
export function appendFlatMapGradient(
  builder: GraphBuilder,
  gradient: string,
  { outputs, convolution }: ConvolutionShape,
  others: number,
): string {
  const values = countConvolvedPositions(convolution) * outputs
  const ofMap = others === 0 ? gradient : sliceColumns(builder, 'flat_map_gradient', gradient, 0, values)
  return builder.node('Reshape', [ofMap, integerConstant(builder, 'flat_map_rows', [-1, outputs])])
}

/** Appends columns `start` to `end - 1` of a matrix; `name` must be unique. */
export function sliceColumns(builder: GraphBuilder, name: string, matrix: string, start: number, end: number): string {
  const bounds = [start, end].map((bound, side) => integerConstant(builder, `${name}_columns_${side}`, [bound]))
  return builder.node('Slice', [matrix, ...bounds, integerConstant(builder, `${name}_columns_axis`, [1])])
}

/** A layer that is a convolution. */
export type ConvolutionShape = HeadLayerShape & { readonly convolution: HeadConvolution }

/** Whether a layer is a convolution. */
export function isConvolution(shape: HeadLayerShape | undefined): shape is ConvolutionShape {
  return shape?.convolution !== undefined
}

/** Positions of `[batch, positions, channels]` by their index; the one behind the last is all zeros. */
function gatherPositions(builder: GraphBuilder, name: string, values: string, index: readonly number[]): string {
  const padded = builder.node('Pad', [values, integerConstant(builder, `${name}_pads`, [0, 0, 0, 0, 1, 0])])
  return builder.node('Gather', [padded, integerConstant(builder, `${name}_index`, index)], { axis: 1 })
}
