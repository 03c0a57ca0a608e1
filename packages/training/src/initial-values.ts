import { countElements } from '@sluice/core'
import type { NamedTensors } from '@sluice/onnx-graph'
import type { Random } from './random.ts'
import type { CarriedValue } from './training-graph.ts'

/**
 * Values before the first step: normal weights of variance 2 / inputs (He et al., arXiv 1502.01852) in layers that a
 * ReLU follows, and zeros elsewhere, so that all classes start level.
 */
export function drawInitialValues(carried: readonly CarriedValue[], random: Random): NamedTensors {
  const layerCount = carried.filter(({ kind }) => kind === 'weights').length
  const entries = carried.map(({ input, dims, kind, layer }) => {
    const data = new Float32Array(countElements(dims))
    if (kind === 'weights' && layer < layerCount - 1) fillNormal(data, Math.sqrt(2 / (dims[0] as number)), random)
    return [input, { type: 'float32', dims, data }] as const
  })
  return Object.fromEntries(entries)
}

function fillNormal(data: Float32Array, deviation: number, random: Random): void {
  for (let index = 0; index < data.length; index++) data[index] = deviation * random.normal()
}
