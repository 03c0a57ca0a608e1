import type { ClassScores } from '@sluice/core'
import type { OnnxEngine } from '@sluice/onnx-graph'
import type { FeatureRows } from './feature-store.ts'
import { fitHead } from './fit-head.ts'
import type { FitRecipe } from './fit-recipe.ts'
import { createCrossEntropyLoss } from './losses/cross-entropy.ts'
import { createDistillationLoss } from './losses/distillation.ts'
import { type HeadTargets, readReferenceClasses, readScores } from './targets.ts'
import type { FitProgress } from './train.ts'

/** What {@link fitCheapHeads} fits. */
export interface CheapHeadsOptions {
  readonly engine: OnnxEngine
  /** Pooled features at each candidate cut, in network order, all of the same rows. */
  readonly candidates: readonly FeatureRows[]
  readonly targets: HeadTargets
  /**
   * Width of the hidden layer, null for linear heads: the kind that the final heads will be. Linear heads stand for
   * hidden ones badly, they are weaker early in the network by 10 points and more.
   */
  readonly hidden: number | null
  /** Expected share of the rows that judge, 0 < share < 1; 0.4 when absent. */
  readonly heldOutShare?: number
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  /** Called after each head. */
  readonly onProgress?: (progress: FitProgress) => void
}

/** How the cheap heads answer on rows that none of them was fitted on: what a placement search works on. */
export interface CheapHeads {
  /** The held-out rows, ascending. */
  readonly rows: Uint32Array
  /** The class that counts as right for each of them: its label, or the network's answer where there are no labels. */
  readonly targets: Int32Array
  /** The network's own scores of them. */
  readonly networkScores: ClassScores
  /** One per candidate, in order. */
  readonly heads: readonly CheapHead[]
}

/** A candidate's scores of the held-out rows. */
export interface CheapHead {
  readonly scores: ClassScores
  /** `||w_j||` of the head, one per class, in standardised space. */
  readonly weightNorms: readonly number[]
}

/** Few passes: on 3,000 rows of ResNet-56's blocks a linear head comes within a point of its best. */
const linearRecipe: FitRecipe = {
  epochs: 6,
  batchRows: 250,
  peakLearningRate: 4e-3,
  inputDropout: 0.1,
  hiddenDropout: 0,
}

/** Half the width and passes of a final head rank ResNet-56's cuts as the final heads do, at a twentieth of the time. */
const mlpRecipe: FitRecipe = { ...linearRecipe, epochs: 5, hiddenDropout: 0.3 }

/**
 * Fits a quick head at every candidate cut, on few rows, to tell which cuts deserve a gate. The heads themselves
 * are thrown away.
 *
 * @throws what `fitHead` throws
 */
export async function fitCheapHeads(options: CheapHeadsOptions): Promise<CheapHeads> {
  const { candidates, targets, heldOutShare = 0.4, onProgress } = options
  const loss = targets.labels === null ? createDistillationLoss() : createCrossEntropyLoss()
  const heads: CheapHead[] = []
  let rows = new Uint32Array(0)
  for (const features of candidates) {
    const { heldOut, weightNorms } = await fitHead({
      engine: options.engine,
      seed: options.seed,
      features,
      targets,
      loss,
      heldOutShare,
      pooling: { kind: 'average', size: 1 },
      hidden: options.hidden,
      recipe: options.hidden === null ? linearRecipe : mlpRecipe,
      signal: options.signal,
    })
    rows = heldOut.rows as Uint32Array<ArrayBuffer>
    heads.push({ scores: heldOut.scores, weightNorms })
    onProgress?.({ done: heads.length, total: candidates.length })
  }
  const networkScores = await readScores(targets.networkScores, rows)
  return { rows, targets: await readReferenceClasses(targets, rows), networkScores, heads }
}
