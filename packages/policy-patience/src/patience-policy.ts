import { argmaxRows, type ExitPolicy, InvalidArgumentError } from '@sluice/core'

/** What the policy remembers of every row of the batch, addressed by original index. */
export interface PatienceState {
  /** The answer of the last gate that the row reached; -1 before the first one. */
  readonly answers: Int32Array
  /** How many times in a row the answer has been that of the gate before. */
  readonly agreements: Uint32Array
}

/**
 * PABEE (Zhou et al. 2020, arXiv 2006.04152, section 3): a gate adds 1 to a row's counter where its answer is that of the
 * gate before and sets it to 0 where it is another; the row leaves once the counter is `patience`. So a row sees at least
 * `patience + 1` gates. Nothing is fitted and no score is asked for; `createPatienceFamily` is the same rule with
 * thresholds that can be calibrated.
 *
 * @throws InvalidArgumentError for a patience that is not an integer >= 1
 */
export function createPatiencePolicy({ patience }: { readonly patience: number }): ExitPolicy<PatienceState> {
  if (!Number.isInteger(patience) || patience < 1) {
    throw new InvalidArgumentError(`patience is ${patience}; pass an integer >= 1.`)
  }
  return {
    specVersion: 'v1',
    name: 'patience',
    init: (batchSize) => ({
      answers: new Int32Array(batchSize).fill(-1),
      agreements: new Uint32Array(batchSize),
    }),
    decide({ scores, rowIndices }, state) {
      const [answers, agreements] = [state.answers.slice(), state.agreements.slice()]
      argmaxRows(scores).forEach((answer, position) => {
        const row = rowIndices[position] as number
        agreements[row] = answers[row] === answer ? (agreements[row] as number) + 1 : 0
        answers[row] = answer
      })
      const exit = Uint8Array.from(rowIndices, (row) => ((agreements[row] as number) >= patience ? 1 : 0))
      return { exit, state: { answers, agreements } }
    },
  }
}
