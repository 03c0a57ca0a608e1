import { InvalidArgumentError } from '@sluice/core'
import { checkGuarantee } from '../guarantee/p-value.ts'

/**
 * Logarithms of the odds ratios that are bet on: a bet of `stake` multiplies its capital by
 * `exp(stake x) / (1 - m + m exp(stake))` when a row's loss is `x`, so that it gains nothing on average while the risk is
 * `m`, or less for a positive stake. It gains most when the odds of a loss are `exp(stake)` times those of `m`. Each stake
 * starts with the same capital.
 */
export const stakes: readonly number[] = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4]

/** Where a mean risk lies, 0..1. */
export interface RiskInterval {
  readonly lower: number
  readonly upper: number
}

/**
 * A confidence sequence for a risk: with the stated chance the interval holds the mean risk of the rows so far after
 * every row at once, so that it may be looked at after each and acted upon. The risk may change from row to row, in any
 * way that does not know the losses to come.
 *
 * The interval is what a mixture of bets has not disproved (Waudby-Smith and Ramdas, arXiv 2010.09686). Since no stake
 * depends on the risk in question and the logarithm of a bet's price, `ln(1 - m + m exp(stake))`, is concave in `m`, the
 * capital against the mean of changing risks is at most that against the risks themselves; so their mean is covered (as
 * in Howard et al., arXiv 1810.08240).
 *
 * @param losses rows with a loss, 0..rows
 * @param rows rows whose loss is known, each drawn without regard to it
 * @param confidence 0..1
 * @throws InvalidArgumentError for counts that do not fit together, or a confidence outside 0..1
 */
export function boundRunningRisk(losses: number, rows: number, confidence: number): RiskInterval {
  checkGuarantee({ bound: 0.5, confidence })
  if (!(Number.isSafeInteger(losses) && Number.isSafeInteger(rows) && losses >= 0 && losses <= rows)) {
    throw new InvalidArgumentError(
      `${losses} losses in ${rows} rows are no counts; pass whole numbers, losses <= rows.`,
    )
  }
  if (rows === 0) return { lower: 0, upper: 1 }
  const needed = Math.log(2 / (1 - confidence))
  const mean = losses / rows
  const isDisproved = (risk: number, sign: 1 | -1) => countLogCapital(losses, rows, risk, sign) >= needed
  return {
    lower: bisect(mean, 0, (risk) => isDisproved(risk, 1)),
    upper: bisect(mean, 1, (risk) => isDisproved(risk, -1)),
  }
}

/** Logarithm of the mean capital of all bets of one direction against a constant risk. */
function countLogCapital(losses: number, rows: number, risk: number, sign: 1 | -1): number {
  const logs = stakes.map((stake) => sign * stake * losses - rows * Math.log1p(risk * Math.expm1(sign * stake)))
  const greatest = Math.max(...logs)
  const sum = logs.reduce((total, log) => total + Math.exp(log - greatest), 0)
  return greatest + Math.log(sum / logs.length)
}

/** The first point on the way from `inside` to `end` that is disproved, or `end`; to double precision. */
function bisect(inside: number, end: number, isDisproved: (risk: number) => boolean): number {
  if (!isDisproved(end)) return end
  let [near, far] = [inside, end]
  for (;;) {
    const middle = (near + far) / 2
    if (middle === near || middle === far) return far
    if (isDisproved(middle)) far = middle
    else near = middle
  }
}
