import type { BundleManifest } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { syntheticClassCount } from '../../../../tooling/synthetic-scores.ts'

/** A manifest of three gates that fits synthetic scores: 25 MACs in each stage, 1 in each head. */
export async function createSyntheticManifest(): Promise<BundleManifest> {
  const network = createRandomReferenceNetwork({
    seed: 1,
    inputShape: [5],
    cutWidths: [4, 4, 4],
    classCount: syntheticClassCount,
  })
  const { manifest } = await createReferenceBundle(network)
  const last = manifest.stages.length - 1
  const stages = manifest.stages.map((stage, index) => ({
    ...stage,
    macs: { backbone: 25, head: index < last ? 1 : 0 },
  }))
  return { ...manifest, macs: 100, stages }
}
