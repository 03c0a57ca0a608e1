import { InvalidArgumentError } from '@sluice/core'
import { stakes } from './running-risk.ts'

/**
 * What rows say for "the risk has risen above the bound, now or at some earlier row". At every row each stake is bet anew,
 * so a bet has as many copies as rows have been seen; plain data, one number per stake.
 */
export interface DriftEvidence {
  /** Capital of all copies together. */
  readonly capital: readonly number[]
  /** The same sum with each copy weighted by the number of rows it has seen. */
  readonly weightedAges: readonly number[]
}

/** Before the first row. */
export const noEvidence: DriftEvidence = { capital: stakes.map(() => 0), weightedAges: stakes.map(() => 0) }

/**
 * A Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo, arXiv 2203.03532, section 2) over a mixture of bets: the result adds
 * the next row's loss, 0 or 1. While the risk is at most the bound, {@link countMeanCapital} grows by at most 1 per row on
 * average, whatever went before.
 *
 * @param bound 0..1
 */
export function createDriftDetector(bound: number): (evidence: DriftEvidence, loss: number) => DriftEvidence {
  const payoffs = [0, 1].map((loss) => stakes.map((stake) => Math.exp(stake * loss) / (1 + bound * Math.expm1(stake))))
  return ({ capital, weightedAges }, loss) => {
    const pay = (values: readonly number[]) => values.map((value, bet) => value * (payoffs[loss]?.[bet] as number))
    const copies = capital.map((sum) => sum + 1)
    return { capital: pay(copies), weightedAges: pay(weightedAges.map((sum, bet) => sum + (copies[bet] as number))) }
  }
}

/** The capital of all copies, mean over the stakes. */
export function countMeanCapital({ capital }: DriftEvidence): number {
  return add(capital) / stakes.length
}

/** For how many of the last rows the risk has been above the bound: the mean over the copies, weighted by their capital. */
export function estimateAge({ capital, weightedAges }: DriftEvidence): number {
  return add(weightedAges) / add(capital)
}

/** @throws InvalidArgumentError unless the evidence holds one bet per stake, as it does not from another release */
export function checkEvidence({ capital, weightedAges }: DriftEvidence): void {
  if (capital.length === stakes.length && weightedAges.length === stakes.length) return
  throw new InvalidArgumentError(
    `The state holds ${capital.length} and ${weightedAges.length} bets; this release places ${stakes.length}. Begin anew with init.`,
  )
}

const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
