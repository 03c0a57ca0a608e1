import { findMedian } from '../quantiles.ts'
import type { SplitFigure } from './bootstrap.ts'
import type { CurvePoint, FiguresAtDrop, FiguresAtShare, PolicyFigures } from './comparison.ts'
import type { ComparisonTargets, JudgedSplit } from './judge-split.ts'

/** A family's figures over all splits. */
export function joinFigures(
  splits: readonly JudgedSplit[],
  { drops, shares }: ComparisonTargets,
): PolicyFigures<SplitFigure> {
  const atDrop = (index: number, key: 'macsSaved' | 'drop') =>
    splits.map((split) => (split.atDrop[index] as FiguresAtDrop<Float32Array>)[key])
  const atShare = (index: number, key: 'accuracy' | 'macsShare') => {
    const values = splits.map((split) => (split.atShare[index] as FiguresAtShare<Float32Array>)[key])
    const possible = values.filter((value) => value !== null)
    return possible.length === 0 ? null : possible
  }
  return {
    atDrop: drops.map((maxDrop, i) => ({ maxDrop, macsSaved: atDrop(i, 'macsSaved'), drop: atDrop(i, 'drop') })),
    atShare: shares.map((share, i) => ({
      share,
      accuracy: atShare(i, 'accuracy'),
      macsShare: atShare(i, 'macsShare'),
    })),
    area: splits.map(({ area }) => area),
  }
}

/** The medians of a family's curves over the splits. */
export function joinCurves(splits: readonly JudgedSplit[], { budgets }: ComparisonTargets): CurvePoint[] {
  const medianAt = (index: number, key: 'macsShare' | 'accuracy') =>
    findMedian(splits.map(({ curve }) => (curve[index] as CurvePoint)[key]))
  return budgets.map((budget, index) => ({
    budget,
    macsShare: medianAt(index, 'macsShare'),
    accuracy: medianAt(index, 'accuracy'),
  }))
}
