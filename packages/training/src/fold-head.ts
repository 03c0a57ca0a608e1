import type { HeadLayer } from '@sluice/onnx-graph'
import { countMapValues } from './convolution-windows.ts'
import type { FeatureMap } from './feature-store.ts'
import { foldStandardisation } from './fold-standardisation.ts'
import { listChannels, type Standardisation } from './standardisation.ts'

/**
 * The head that does to raw features what the given one does to standardised ones.
 * @param map what the first layer takes where it is a convolution; the standardisation is then the same all over a channel
 */
export function foldHead(
  layers: readonly HeadLayer[],
  standardisation: Standardisation,
  map: FeatureMap | undefined,
): HeadLayer[] {
  if (layers[0]?.convolution === undefined || map === undefined) {
    return layers.map((layer, index) => (index === 0 ? foldStandardisation(layer, standardisation) : layer))
  }
  const start = countMapValues(map)
  const others = {
    mean: standardisation.mean.subarray(start),
    scale: standardisation.scale.subarray(start),
  }
  const firstDense = layers.findIndex(({ convolution }) => convolution === undefined)
  return layers.map((layer, index) => {
    if (index === 0) return foldIntoConvolution(layer, standardisation, map)
    return index === firstDense ? foldStandardisation(layer, extendInFront(others, layer.inputs)) : layer
  })
}

/** The scale goes into the weights; `shareOverMap` leaves a map's mean alone. */
function foldIntoConvolution(layer: HeadLayer, { scale }: Standardisation, map: FeatureMap): HeadLayer {
  const { inputs, outputs, weights } = layer
  const scales = listChannels(map).map(([first = 0]) => scale[first] as number)
  return {
    ...layer,
    weights: weights.map((weight, index) => weight * (scales[Math.floor(index / outputs) % (inputs / 9)] as number)),
  }
}

/** Leaves as many features in front as they are as make up `width`. */
function extendInFront({ mean, scale }: Standardisation, width: number): Standardisation {
  const extended = { mean: new Float32Array(width), scale: new Float32Array(width).fill(1) }
  extended.mean.set(mean, width - mean.length)
  extended.scale.set(scale, width - scale.length)
  return extended
}
