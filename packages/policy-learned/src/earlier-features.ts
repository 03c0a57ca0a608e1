import { argmaxRows, type ClassScores } from '@sluice/core'
import { extractFeatures, featureCount, greatestGap } from './score-features.ts'

/** Features of a row that one earlier gate adds. */
const featuresPerGate = 2

/** Number of features of a row at a gate with so many gates in front. */
export function countFeatures(earlierCount: number): number {
  return featureCount + featuresPerGate * earlierCount
}

/**
 * What a row's class scores here and at earlier gates say about this gate's answer, `[rows, countFeatures]`, all finite:
 * those of `extractFeatures`, then for each earlier gate, first to last,
 * 0. the log-odds `ln p / (1 - p)` that it gives this gate's answer, `p` from `softmax(z / T)` of that gate, within ±40;
 * 1. whether it gives the same answer, 0 or 1.
 *
 * @param gates the earlier gates and this one
 * @param temperatures one per gate
 */
export function extractEarlierFeatures(gates: readonly ClassScores[], temperatures: readonly number[]): Float64Array {
  const [own, earlier] = [gates.at(-1) as ClassScores, gates.slice(0, -1)]
  const width = countFeatures(earlier.length)
  const answers = argmaxRows(own)
  const ownFeatures = extractFeatures(own, temperatures.at(-1) as number)
  const features = new Float64Array(own.rows * width)
  answers.forEach((_, row) => {
    features.set(ownFeatures.subarray(row * featureCount, (row + 1) * featureCount), row * width)
  })
  earlier.forEach((scores, gate) => {
    const before = argmaxRows(scores)
    answers.forEach((answer, row) => {
      const offset = row * width + countFeatures(gate)
      features[offset] = findLogOdds(scores, row, answer, temperatures[gate] as number)
      features[offset + 1] = before[row] === answer ? 1 : 0
    })
  })
  return features
}

function findLogOdds({ data, classCount }: ClassScores, row: number, answer: number, temperature: number): number {
  const start = row * classCount
  const own = data[start + answer] as number
  let others = 0
  for (let c = 0; c < classCount; c++) {
    if (c !== answer) others += Math.exp(((data[start + c] as number) - own) / temperature)
  }
  return Math.min(Math.max(-Math.log(others), -greatestGap), greatestGap)
}
