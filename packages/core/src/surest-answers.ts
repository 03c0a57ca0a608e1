import type { ClassScores } from './class-scores.ts'
import { PolicyContractError } from './errors.ts'
import type { ExitScore } from './exit-score.ts'

/** The surest answer that each row of a batch has had so far. */
export interface SurestAnswers {
  /** Takes note of an exit's answers, one per row of `rows`; as sure as an earlier one counts as surer. */
  note(rows: Uint32Array, answers: ClassScores): void
  /** The answers of rows that have had one, in their order. */
  take(rows: Uint32Array): ClassScores
}

/** @param confidence how sure an answer is, never NaN; `note` throws PolicyContractError where it is */
export function createSurestAnswers(confidence: ExitScore, batchSize: number, classCount: number): SurestAnswers {
  const greatest = new Float32Array(batchSize).fill(Number.NEGATIVE_INFINITY)
  const surest = new Float32Array(batchSize * classCount)
  return {
    note(rows, answers) {
      const values = confidence(answers)
      rows.forEach((row, position) => {
        const value = values[position] as number
        if (Number.isNaN(value)) {
          throw new PolicyContractError('mostConfident', `its confidence in row ${row} is NaN; return a number.`)
        }
        if (value < (greatest[row] as number)) return
        greatest[row] = value
        surest.set(answers.data.subarray(position * classCount, (position + 1) * classCount), row * classCount)
      })
    },
    take(rows) {
      const data = new Float32Array(rows.length * classCount)
      rows.forEach((row, position) => {
        data.set(surest.subarray(row * classCount, (row + 1) * classCount), position * classCount)
      })
      return { data, rows: rows.length, classCount }
    },
  }
}
