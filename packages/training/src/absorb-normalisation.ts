import { type HeadLayer, type OnnxEngine, writeOnnxModel } from '@sluice/onnx-graph'
import { normalisationEpsilon } from './batch-normalisation.ts'
import type { FeatureRows } from './feature-store.ts'
import { foldHead } from './fold-head.ts'
import { readBlocks } from './row-blocks.ts'
import { takeEvenly } from './row-split.ts'
import { createRowsGraph, feedRows } from './rows-graph.ts'
import type { Standardisation } from './standardisation.ts'

/** A head in which a convolution's bias comes after a normalisation and a scale, and rows to take statistics from. */
export interface NormalisedHead {
  readonly engine: OnnxEngine
  readonly features: FeatureRows
  /** The fitted rows, ascending. */
  readonly rows: Uint32Array
  readonly standardisation: Standardisation
  readonly layers: readonly HeadLayer[]
  /** Scale `[outputs]` of each normalised layer; null for the others. */
  readonly scales: readonly (Float32Array | null)[]
}

/** Rows that the statistics are taken from; each has many positions. */
const sampleRows = 1024

/** The head without normalisation that does the same to rows whose statistics are those of a sample of the fitted ones. */
export async function absorbNormalisation(head: NormalisedHead): Promise<HeadLayer[]> {
  const absorbed: HeadLayer[] = []
  for (const [index, layer] of head.layers.entries()) {
    const scale = head.scales[index] ?? null
    if (scale === null) {
      absorbed.push(layer)
      continue
    }
    const plain: HeadLayer = { ...layer, bias: new Float32Array(layer.outputs), activation: 'none' }
    const { mean, variance } = await measureOutputs(head, [...absorbed, plain])
    const factors = scale.map((value, output) => value / Math.sqrt((variance[output] as number) + normalisationEpsilon))
    absorbed.push({
      ...layer,
      weights: layer.weights.map((weight, i) => weight * (factors[i % layer.outputs] as number)),
      bias: layer.bias.map((shift, output) => shift - (mean[output] as number) * (factors[output] as number)),
    })
  }
  return absorbed
}

/** Mean and variance of what the last layer, a convolution, yields, per channel over all positions. */
async function measureOutputs(head: NormalisedHead, layers: readonly HeadLayer[]) {
  const { engine, features, standardisation } = head
  const outputs = layers.at(-1)?.outputs ?? 0
  const [mean, square] = [new Float64Array(outputs), new Float64Array(outputs)]
  const sample = takeEvenly(head.rows, sampleRows)
  const session = await engine.createSession(buildGraph(foldHead(layers, standardisation, features.map), features))
  try {
    for await (const block of readBlocks(features, sample)) {
      const results = await session.run(feedRows(block, block.rows, features))
      const share = block.rows.length / sample.length
      for (let output = 0; output < outputs; output++) {
        mean[output] = (mean[output] as number) + share * Number(results.mean?.data[output])
        square[output] = (square[output] as number) + share * Number(results.square?.data[output])
      }
    }
  } finally {
    await session.release()
  }
  return { mean, variance: square.map((value, output) => Math.max(0, value - (mean[output] as number) ** 2)) }
}

function buildGraph(layers: readonly HeadLayer[], features: FeatureRows): Uint8Array {
  const { graph, outputs } = createRowsGraph('statistics', layers, features)
  for (const [name, values] of Object.entries({ mean: outputs, square: graph.node('Mul', [outputs, outputs]) })) {
    graph.node('ReduceMean', [values], { axes: [0], keepdims: 0 }, name)
    graph.output(name, 'float32', [layers.at(-1)?.outputs ?? 0])
  }
  return writeOnnxModel(graph.buildModel())
}
