import { type ClassScores, NonFiniteValueError } from '@sluice/core'
import { type HeadLayer, type OnnxEngine, writeOnnxModel } from '@sluice/onnx-graph'
import type { FeatureRows } from './feature-store.ts'
import { readBlocks } from './row-blocks.ts'
import { createRowsGraph, feedRows } from './rows-graph.ts'

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
        const wanted = block.rows.subarray(first, first + runRows)
        const { scores } = await session.run(feedRows(block, wanted, features))
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

function buildScoreGraph(layers: readonly HeadLayer[], features: FeatureRows): Uint8Array {
  const { graph, outputs } = createRowsGraph('scores', layers, features)
  graph.node('Identity', [outputs], {}, 'scores')
  graph.output('scores', 'float32', ['wanted', layers.at(-1)?.outputs ?? 0])
  return writeOnnxModel(graph.buildModel())
}
