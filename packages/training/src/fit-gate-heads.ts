import type { ClassScores } from '@sluice/core'
import { appendScores } from './append-scores.ts'
import type { FeatureRows } from './feature-store.ts'
import { type FitHeadOptions, type FittedHead, fitHead } from './fit-head.ts'
import { scoreFeatures } from './head-scores.ts'
import { createSurvivorWeights } from './survivor-weights.ts'
import type { FitProgress } from './train.ts'

/** What {@link fitGateHeads} fits, and which of the gates in front a head heeds. */
export interface GateHeadsOptions extends Omit<FitHeadOptions, 'features' | 'rowWeights' | 'onProgress'> {
  /** Pooled features at each gate's cut, in network order, all of the same rows. */
  readonly gates: readonly FeatureRows[]
  /**
   * Whether each head but the first also takes the class scores of the head in front (Zero Time Waste, arXiv 2106.05409,
   * section 3.1). They are no part of what the head in front is fitted to.
   */
  readonly cascade: boolean
  /** Whether rows that an earlier head is sure of count less, see {@link createSurvivorWeights}. */
  readonly survivors: boolean
  /** Called after each engine run with optimiser steps. @param gate index of the head that is being fitted */
  readonly onProgress?: (gate: number, progress: FitProgress) => void
}

/**
 * Fits the heads of all gates, one after another. Without cascade and survivors none depends on another.
 * @returns one head per gate, in order
 * @throws what `fitHead` throws
 */
export async function fitGateHeads(options: GateHeadsOptions): Promise<FittedHead[]> {
  const { gates, cascade, survivors, targets, onProgress } = options
  const weights = survivors ? createSurvivorWeights(targets) : null
  const heads: FittedHead[] = []
  let earlier: ClassScores | null = null
  for (const [gate, pooled] of gates.entries()) {
    const scoresInFront: ClassScores | null = cascade ? earlier : null
    const features: FeatureRows = scoresInFront === null ? pooled : appendScores(pooled, scoresInFront)
    const fitted: FittedHead = await fitHead({
      ...options,
      features,
      ...(weights === null ? {} : { rowWeights: weights.current() }),
      onProgress: (progress) => onProgress?.(gate, progress),
    })
    heads.push({ ...fitted, head: { ...fitted.head, takesScores: scoresInFront !== null } })
    if (gate === gates.length - 1 || !(cascade || survivors)) continue
    const rows = Uint32Array.from({ length: features.rows }, (_, row) => row)
    earlier = await scoreFeatures({ ...options, layers: fitted.head.layers, features, rows })
    await weights?.heed(fitted, earlier)
  }
  return heads
}
