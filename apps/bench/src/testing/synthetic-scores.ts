import type { ScoreCache } from '@sluice/calibration'
import type { BundleManifest, ClassScores } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { createRandom } from '@sluice/datasets'

const classCount = 4

/** Scores of three gates that grow surer of the label with depth, less so for harder samples. */
export function createSyntheticScores(samples: number, seed: number): ScoreCache {
  const random = createRandom(seed)
  const labels = Int32Array.from({ length: samples }, () => random.below(classCount))
  const difficulty = Float64Array.from(labels, () => 3 * random.next())
  const draw = (ability: number): ClassScores => {
    const data = Float32Array.from({ length: samples * classCount }, () => random.normal())
    labels.forEach((label, row) => {
      data[row * classCount + label] = (data[row * classCount + label] ?? 0) + ability - (difficulty[row] ?? 0)
    })
    return { data, rows: samples, classCount }
  }
  const gates = [4, 5, 6].map((ability) => ({ scores: draw(ability), weightNorms: [1, 1, 1, 1] }))
  return { gates, final: draw(7), labels }
}

/** A manifest of three gates that fits the scores: 25 MACs in each stage, 1 in each head. */
export async function createSyntheticManifest(): Promise<BundleManifest> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [5], cutWidths: [4, 4, 4], classCount })
  const { manifest } = await createReferenceBundle(network)
  const last = manifest.stages.length - 1
  const stages = manifest.stages.map((stage, index) => ({
    ...stage,
    macs: { backbone: 25, head: index < last ? 1 : 0 },
  }))
  return { ...manifest, macs: 100, stages }
}
