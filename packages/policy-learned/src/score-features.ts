import type { ClassScores } from '@sluice/core'

/** The leads of the best class over the next ones that the features hold; a class that does not exist is as far as can be. */
const leads = 4

/** Number of features of a row. */
export const featureCount = 3 + leads

/** The best score over its temperature is held to ± this. */
export const greatestBest = 1000

/** Gaps, in units of the temperature, count as this at most: `exp` of minus it is below float32's precision. */
export const greatestGap = 40

/**
 * What a row's class scores say about their own reliability, `[rows, featureCount]`, all finite:
 * 0. the log-odds of the best class, `ln p / (1 - p)` with `p = max softmax(z / T)`;
 * 1. the entropy of `softmax(z / T)` in nats;
 * 2. the best score over its temperature, `z_(1) / T`, held to ±1000;
 * 3. onwards: the leads `(z_(1) - z_(k)) / T` over the second to fifth class, at most 40.
 */
export function extractFeatures({ data, rows, classCount }: ClassScores, temperature: number): Float64Array {
  const features = new Float64Array(rows * featureCount)
  const smallest = new Float64Array(leads)
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let best = start
    for (let i = start + 1; i < start + classCount; i++) if ((data[i] as number) > (data[best] as number)) best = i
    smallest.fill(greatestGap)
    let [others, gaps] = [0, 0]
    for (let i = start; i < start + classCount; i++) {
      if (i === best) continue
      const gap = Math.min(((data[best] as number) - (data[i] as number)) / temperature, greatestGap)
      const weight = Math.exp(-gap)
      others += weight
      gaps += weight * gap
      insertSorted(smallest, gap)
    }
    const offset = row * featureCount
    features[offset] = -Math.log(Math.max(others, Math.exp(-greatestGap)))
    features[offset + 1] = Math.log1p(others) + gaps / (1 + others)
    features[offset + 2] = Math.min(Math.max((data[best] as number) / temperature, -greatestBest), greatestBest)
    features.set(smallest, offset + 3)
  }
  return features
}

/** Puts a value into an ascending array if it is less than the last, which falls out. */
function insertSorted(ascending: Float64Array, value: number): void {
  let place = ascending.length - 1
  if (value >= (ascending[place] as number)) return
  for (; place > 0 && (ascending[place - 1] as number) > value; place--) {
    ascending[place] = ascending[place - 1] as number
  }
  ascending[place] = value
}
