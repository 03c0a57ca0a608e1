import type { ScoreCache } from '@sluice/calibration'
import type { ClassScores, PooledFeatures } from '@sluice/core'
import { createRandom } from '@sluice/datasets'

/** Classes of {@link createSyntheticScores}. */
export const syntheticClassCount = 4

/**
 * Scores of gates that grow surer of the label with depth, less so for harder samples, and two pooled features of which the
 * first tells something of the difficulty.
 */
export function createSyntheticScores(samples: number, seed: number, gateCount: number): ScoreCache {
  const classCount = syntheticClassCount
  const random = createRandom(seed)
  const labels = Int32Array.from({ length: samples }, () => random.below(classCount))
  const difficulty = Float64Array.from(labels, () => 3 * random.next())
  const draw = (ability: number): ClassScores => {
    const data = Float32Array.from({ length: samples * classCount }, () => random.normal())
    labels.forEach((label, row) => {
      data[row * classCount + label] = (data[row * classCount + label] ?? 0) + ability - (difficulty[row] ?? 0)
    })
    return { data, rows: samples, classCount }
  }
  const ofFeatures = createRandom(seed, 1)
  const drawFeatures = (): PooledFeatures => {
    const data = Float32Array.from({ length: 2 * samples }, (_, i) => {
      return ofFeatures.normal() + (i % 2 === 0 ? (difficulty[i / 2] ?? 0) : 0)
    })
    return { data, rows: samples, width: 2 }
  }
  const gates = Array.from({ length: gateCount }, (_, gate) => ({
    scores: draw(4 + gate),
    features: drawFeatures(),
    weightNorms: [1, 1, 1, 1],
  }))
  return { gates, final: draw(4 + gateCount), labels }
}
