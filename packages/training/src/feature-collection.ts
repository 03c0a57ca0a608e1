import { InvalidArgumentError } from '@sluice/core'
import type { FeatureStorage, FeatureStore } from './feature-store.ts'
import type { HeadTargets } from './targets.ts'

/** What passes over the data leave, row by row in the order of the data. Only `collectFeatures` appends to it. */
export interface FeatureCollection {
  readonly rows: number
  /** Pooled features by cut tensor; each store has all rows. */
  readonly features: ReadonlyMap<string, FeatureStore>
  /** Labels and network scores of all rows. @throws InvalidArgumentError while there is no row */
  targets(): HeadTargets
  /** Frees the features of all other tensors; further passes tap these alone. */
  keep(tensors: readonly string[]): Promise<void>
  /** Appends one batch: features by cut tensor, network scores and labels. The data are copied. */
  append(batch: CollectedBatch): Promise<void>
  /** Frees memory and files; twice does nothing. */
  dispose(): Promise<void>
}

/** One batch of a pass; every matrix has the same rows. */
export interface CollectedBatch {
  readonly rows: number
  readonly labels: Int32Array | null
  /** `[rows, classes]` */
  readonly networkScores: Float32Array
  /** `[rows, features]` by cut tensor. */
  readonly features: ReadonlyMap<string, Float32Array>
}

/** An empty collection whose stores lie in `storage`. The caller disposes it. */
export function createFeatureCollection(storage: FeatureStorage): FeatureCollection {
  const features = new Map<string, FeatureStore>()
  const labels: Int32Array[] = []
  let networkScores: FeatureStore | null = null
  let rows = 0
  return {
    features,
    get rows() {
      return rows
    },
    targets() {
      if (networkScores === null) throw new InvalidArgumentError('No data were collected; run collectFeatures first.')
      return { labels: labels.length === 0 ? null : concatenate(labels, rows), networkScores }
    },
    async keep(tensors) {
      for (const [tensor, store] of features) {
        if (tensors.includes(tensor)) continue
        features.delete(tensor)
        await store.dispose()
      }
    },
    async append(batch) {
      const hasLabels = batch.labels !== null
      if (rows > 0) checkSameKind(batch, [...features.keys()], labels.length > 0)
      networkScores ??= await storage.createStore(batch.networkScores.length / batch.rows)
      await networkScores.append(batch.networkScores)
      for (const [tensor, data] of batch.features) {
        const store = features.get(tensor) ?? (await storage.createStore(data.length / batch.rows))
        features.set(tensor, store)
        await store.append(data)
      }
      if (hasLabels) labels.push(batch.labels.slice())
      rows += batch.rows
    },
    async dispose() {
      await Promise.all([...features.values(), networkScores].map((store) => store?.dispose()))
      features.clear()
      networkScores = null
      labels.length = 0
      rows = 0
    },
  }
}

function checkSameKind(batch: CollectedBatch, tensors: readonly string[], hasLabels: boolean): void {
  const tapped = [...batch.features.keys()]
  if (tapped.length !== tensors.length || tapped.some((tensor) => !tensors.includes(tensor))) {
    throw new InvalidArgumentError(
      `Features of [${tapped.join(', ')}] cannot follow those of [${tensors.join(', ')}]; call keep() with the tensors that go on.`,
    )
  }
  if ((batch.labels !== null) !== hasLabels) {
    throw new InvalidArgumentError('Some rows have labels and some have none; give all of them labels, or none.')
  }
}

function concatenate(parts: readonly Int32Array[], length: number): Int32Array {
  const whole = new Int32Array(length)
  let done = 0
  for (const part of parts) {
    whole.set(part, done)
    done += part.length
  }
  return whole
}
