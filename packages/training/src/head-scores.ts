import { type ClassScores, NonFiniteValueError } from '@sluice/core'
import { createGraphBuilder, type HeadLayer, type OnnxEngine, writeOnnxModel } from '@sluice/onnx-graph'
import { appendForward, storeLayers } from './dense-layers.ts'
import type { FeatureRows } from './feature-store.ts'
import { readBlocks } from './row-blocks.ts'

/** What {@link scoreFeatures} computes with. */
export interface ScoreFeaturesOptions {
  readonly engine: OnnxEngine
  readonly layers: readonly HeadLayer[]
  /** Pooled features as the cut yields them. */
  readonly features: FeatureRows
  /** Wanted rows, ascending. */
  readonly rows: Uint32Array
  readonly signal?: AbortSignal | undefined
}

/** Rows of one run, so that what it gathers stays small beside the store. */
const runRows = 4096

/**
 * Class scores of a head on stored features, in the order of `rows`. The caller owns them.
 * @throws NonFiniteValueError naming the first row with a score that is NaN or infinite
 */
export async function scoreFeatures(options: ScoreFeaturesOptions): Promise<ClassScores> {
  const { engine, layers, features, rows, signal } = options
  const classCount = layers.at(-1)?.outputs ?? 0
  const data = new Float32Array(rows.length * classCount)
  const session = await engine.createSession(buildScoreGraph(layers, features))
  try {
    let done = 0
    for await (const block of readBlocks(features, rows)) {
      for (let first = 0; first < block.rows.length; first += runRows) {
        signal?.throwIfAborted()
        const wanted = Int32Array.from(block.rows.subarray(first, first + runRows))
        const { scores } = await session.run({
          features: { type: 'float32', dims: [block.length, features.width], data: block.data },
          rows: { type: 'int32', dims: [wanted.length], data: wanted },
        })
        const values = scores?.data as Float32Array
        checkFinite(values, (index) => block.start + (wanted[Math.floor(index / classCount)] as number))
        data.set(values, done * classCount)
        done += wanted.length
      }
    }
  } finally {
    await session.release()
  }
  return { data, rows: rows.length, classCount }
}

function checkFinite(scores: Float32Array, rowAt: (index: number) => number): void {
  const index = scores.findIndex((score) => !Number.isFinite(score))
  if (index >= 0) throw new NonFiniteValueError("The head's scores", rowAt(index), scores[index] as number)
}

function buildScoreGraph(layers: readonly HeadLayer[], { width, map }: FeatureRows): Uint8Array {
  const graph = createGraphBuilder({ name: 'scores' })
  graph.input('features', 'float32', ['rows', width])
  graph.input('rows', 'int32', ['wanted'])
  const features = graph.node('Gather', ['features', 'rows'])
  const { scores } = appendForward(graph, { features, width, map }, storeLayers(graph, layers))
  graph.node('Identity', [scores], {}, 'scores')
  graph.output('scores', 'float32', ['wanted', layers.at(-1)?.outputs ?? 0])
  return writeOnnxModel(graph.buildModel())
}
