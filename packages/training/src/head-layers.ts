import { InvalidArgumentError } from '@sluice/core'
import type { HeadLayerShape } from '@sluice/onnx-graph'
import { countMapValues } from './convolution-windows.ts'
import type { FeatureMap, FeatureRows } from './feature-store.ts'

/** Which layers a head has. */
export interface HeadWidths {
  /** Width of the hidden layer; null for none. */
  readonly hidden: number | null
  /** Channels that each convolution in front of it yields; none when absent. */
  readonly channels?: readonly number[]
}

/**
 * The layers of a head on rows of features: convolutions on their map one after another, then those of a linear head or
 * one with a hidden layer on what the last convolution yields and on the features behind the map.
 *
 * @throws InvalidArgumentError for channels that are no whole numbers from 1 on, or convolutions on rows without a map
 */
export function planHeadLayers(
  { width, map }: Pick<FeatureRows, 'width' | 'map'>,
  classCount: number,
  { hidden, channels = [] }: HeadWidths,
): HeadLayerShape[] {
  if (channels.length === 0) return planDenseLayers(width, classCount, hidden)
  checkChannels(channels)
  if (map === undefined) {
    throw new InvalidArgumentError('The features are no map for a convolution; fit a head of another kind on them.')
  }
  const { layers, values } = planConvolutions(map, channels)
  return [...layers, ...planDenseLayers(width - countMapValues(map) + values, classCount, hidden)]
}

function checkChannels(channels: readonly number[]): void {
  const wrong = channels.find((count) => !Number.isInteger(count) || count < 1)
  if (wrong === undefined) return
  throw new InvalidArgumentError(`A convolution with ${wrong} channels is not possible; give whole numbers from 1 on.`)
}

/** The convolutions, and the values of the map that the last one yields. */
function planConvolutions(map: FeatureMap, channels: readonly number[]) {
  const layers: HeadLayerShape[] = []
  let [inputs, height, width] = [map.outer * map.inner, map.height, map.width]
  for (const outputs of channels) {
    const convolution = { height, width }
    layers.push({ inputs: 9 * inputs, outputs, activation: 'relu', convolution })
    ;[inputs, height, width] = [outputs, Math.ceil(height / 2), Math.ceil(width / 2)]
  }
  return { layers, values: inputs * height * width }
}

function planDenseLayers(inputs: number, outputs: number, hidden: number | null): HeadLayerShape[] {
  if (hidden === null) return [{ inputs, outputs, activation: 'none' }]
  return [
    { inputs, outputs: hidden, activation: 'relu' },
    { inputs: hidden, outputs, activation: 'none' },
  ]
}
