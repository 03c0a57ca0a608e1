import type { ClassScores } from './class-scores.ts'
import { InvalidArgumentError } from './errors.ts'
import { type GateContext, noContext } from './exit-score.ts'

/**
 * Class scores of the gates that an exit score was fitted on, this one last: all of them, or the last `count`.
 *
 * @param fitted number of gates that it was fitted on
 * @throws InvalidArgumentError where other gates stand now
 */
export function joinFittedGates(
  scores: ClassScores,
  { earlier }: GateContext = noContext,
  fitted: number,
  count = Number.POSITIVE_INFINITY,
): readonly ClassScores[] {
  const gates = [...earlier, scores].slice(-count)
  if (gates.length === fitted) return gates
  throw new InvalidArgumentError(
    `The policy was fitted on ${fitted - 1} gates in front and is shown ${earlier.length}. Calibrate the bundle again.`,
  )
}
