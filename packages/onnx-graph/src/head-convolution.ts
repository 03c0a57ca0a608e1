import type { GraphBuilder } from './graph-builder.ts'
import type { HeadConvolution, HeadLayer, HeadLayerShape } from './head-layer.ts'

/** Positions of the map that a convolution yields. */
export function countConvolvedPositions({ height, width }: HeadConvolution): number {
  return Math.ceil(height / 2) * Math.ceil(width / 2)
}

/**
 * Values of a row that a head takes: its map, where it begins with convolutions, and what joins the map that they yield;
 * NaN for no layers.
 */
export function countHeadInputs(layers: readonly Omit<HeadLayerShape, 'activation'>[]): number {
  const dense = layers.findIndex(({ convolution }) => convolution === undefined)
  const [first, last] = [layers[0], layers[dense - 1]]
  const inputs = layers[dense]?.inputs ?? Number.NaN
  if (first?.convolution === undefined || last?.convolution === undefined) return inputs
  const { height, width } = first.convolution
  return (first.inputs / 9) * height * width + inputs - last.outputs * countConvolvedPositions(last.convolution)
}

/**
 * Appends the convolutions that a head begins with, at least one, to a map `[batch, channels, height, width]`. Returns what
 * the other layers take and those layers, their weights in the order of channels first.
 */
export function appendConvolutions(
  builder: GraphBuilder,
  pooled: string,
  layers: readonly HeadLayer[],
): { readonly features: string; readonly layers: readonly HeadLayer[] } {
  const count = layers.findIndex(({ convolution }) => convolution === undefined)
  let map = pooled
  let channels = 0
  let positions = 0
  for (const [index, layer] of layers.slice(0, count).entries()) {
    if (layer.convolution === undefined) continue
    map = appendConvolution(builder, map, layer, index)
    channels = layer.outputs
    positions = countConvolvedPositions(layer.convolution)
  }
  const [first, ...others] = layers.slice(count)
  const reordered = first === undefined ? [] : [reorderInputs(first, positions, channels)]
  return { features: builder.node('Flatten', [map]), layers: [...reordered, ...others] }
}

function appendConvolution(builder: GraphBuilder, map: string, layer: HeadLayer, index: number): string {
  const { inputs, outputs, bias, activation } = layer
  const dims = [outputs, inputs / 9, 3, 3]
  const data = convertToChannelsFirst(layer)
  const weights = builder.initializer(`convolution_${index}_weights`, { type: 'float32', dims, data })
  const biases = builder.initializer(`convolution_${index}_bias`, { type: 'float32', dims: [outputs], data: bias })
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
  const convolved = builder.node('Conv', [map, weights, biases], attributes)
  return activation === 'relu' ? builder.node('Relu', [convolved]) : convolved
}

/** `[place in the window, channel, output]` as `[output, channel, place]`. */
function convertToChannelsFirst({ inputs, outputs, weights }: HeadLayer): Float32Array {
  const channels = inputs / 9
  return Float32Array.from({ length: weights.length }, (_, index) => {
    const place = index % 9
    const channel = Math.floor(index / 9) % channels
    const output = Math.floor(index / inputs)
    return weights[(place * channels + channel) * outputs + output] as number
  })
}

/** The layer for a map `[channel, position]` in place of `[position, channel]`; inputs behind the map stay. */
function reorderInputs(layer: HeadLayer, positions: number, channels: number): HeadLayer {
  const { outputs } = layer
  const weights = layer.weights.slice()
  for (let channel = 0; channel < channels; channel++) {
    for (let position = 0; position < positions; position++) {
      const from = (position * channels + channel) * outputs
      weights.set(layer.weights.subarray(from, from + outputs), (channel * positions + position) * outputs)
    }
  }
  return { ...layer, weights }
}
