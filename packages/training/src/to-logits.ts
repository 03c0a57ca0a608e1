import type { ClassScores } from '@sluice/core'

/** How far a row of float32 probabilities may be from a sum of 1. */
const sumTolerance = 1e-3

/** Probabilities below are as good as 0, which has no logarithm. */
const leastProbability = 1e-30

/**
 * Class scores whose softmax are the network's probabilities. A network that ends in a softmax itself gives those; their
 * logarithms are returned then, in a new array, and all other scores as they are. The order of the classes stays the same.
 */
export function toLogits(scores: ClassScores): Float32Array {
  return areProbabilities(scores) ? scores.data.map((p) => Math.log(Math.max(p, leastProbability))) : scores.data
}

function areProbabilities({ data, rows, classCount }: ClassScores): boolean {
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let i = row * classCount; i < (row + 1) * classCount; i++) {
      const value = data[i] as number
      if (!(value >= 0)) return false
      sum += value
    }
    if (Math.abs(sum - 1) > sumTolerance) return false
  }
  return true
}
