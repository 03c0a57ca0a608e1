import { type ClassScores, fitTemperature, measureConfidence } from '@sluice/core'
import type { FittedHead } from './fit-head.ts'
import { type HeadTargets, readReferenceClasses } from './targets.ts'

/** A row of which a head is at least this sure would leave there. */
const sureFrom = 0.9

/** What a row that would have left still counts: heads must answer such rows, too, where thresholds are stricter. */
const leaverWeight = 0.3

/** How much each row counts in the fit of the next head. */
export interface SurvivorWeights {
  /** One per row; a new array after each `heed`. */
  current(): Float32Array
  /** Looks at a head's scores of all rows. */
  heed(fitted: Pick<FittedHead, 'heldOut'>, scores: ClassScores): Promise<void>
}

/**
 * Weights that fit a head to the rows that survive the gates in front (samples weighted by the exit that they take: Han et
 * al., arXiv 2209.08310): a row counts 1 as long as every earlier head gives each class less than 0.9, else 0.3. How sure
 * a head is says the softmax of its scores, at the temperature that suits its held-out rows.
 */
export function createSurvivorWeights(targets: HeadTargets): SurvivorWeights {
  let weights = new Float32Array(targets.networkScores.rows).fill(1)
  return {
    current: () => weights,
    async heed({ heldOut }, scores) {
      const temperature = fitTemperature({
        scores: heldOut.scores,
        targets: await readReferenceClasses(targets, heldOut.rows),
      })
      const confidence = measureConfidence(scores, temperature)
      weights = weights.map((weight, row) => ((confidence[row] as number) >= sureFrom ? leaverWeight : weight))
    },
  }
}
