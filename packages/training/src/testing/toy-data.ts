import type { FeatureStorage, FeatureStore } from '../feature-store.ts'
import { createMemoryStorage } from '../memory-storage.ts'
import { createRandom } from '../random.ts'
import type { HeadTargets } from '../targets.ts'

/** Features and what they should be told apart as. */
export interface ToyData {
  readonly features: FeatureStore
  readonly targets: HeadTargets & { readonly labels: Int32Array }
}

export interface ToyDataOptions {
  readonly rows?: number
  readonly width?: number
  readonly classCount?: number
  readonly storage?: FeatureStorage
  /** Distance of the classes' centres in units of the noise. */
  readonly separation?: number
}

/** Classes around random centres, with features of very different means and deviations. */
export async function createToyData(options: ToyDataOptions = {}): Promise<ToyData> {
  const { rows = 600, width = 6, classCount = 3, storage = createMemoryStorage(), separation = 8 } = options
  const random = createRandom(11, 0)
  const centres = Array.from({ length: classCount * width }, () => separation * random.normal())
  const labels = Int32Array.from({ length: rows }, () => random.below(classCount))
  const data = Float32Array.from({ length: rows * width }, (_, index) => {
    const feature = index % width
    const label = labels[(index - feature) / width] as number
    const value = (centres[label * width + feature] as number) + random.normal()
    return 100 * feature + 10 ** (feature - 2) * value
  })
  const scores = Float32Array.from({ length: rows * classCount }, (_, index) => {
    const row = Math.floor(index / classCount)
    return index % classCount === labels[row] ? 6 : random.normal()
  })
  const features = await storage.createStore(width)
  await features.append(data)
  const networkScores = await storage.createStore(classCount)
  await networkScores.append(scores)
  return { features, targets: { labels, networkScores } }
}
