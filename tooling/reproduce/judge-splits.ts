import { createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import {
  chooseExits,
  collectScores,
  countMacsCost,
  createTuningSamples,
  findPolicyFamily,
  tabulateGates,
} from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { evaluateThresholds, type ScoreCache, selectCachedSamples } from '@sluice/calibration'
import { argmaxRows, type BundleManifest } from '@sluice/core'
import { permute, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { z } from 'zod'
import { findMedian } from './median.ts'

/** Points of accuracy that thresholds are chosen for. */
export const maxDrops = [0, 0.5, 1, 2] as const

/** Random halves of the test images: one chooses thresholds, the other one judges them. */
export const splits = 10

const figures = z.object({ median: z.number(), values: z.array(z.number()).length(splits) })

/** Per target drop, what the judged halves lost (points) and saved (fraction of the MACs), in the order of the splits. */
export const judgement = z.object({
  policy: z.string(),
  samples: z.int(),
  fullAccuracy: z.number(),
  points: z.array(z.object({ maxDrop: z.number(), drop: figures, macsSaved: figures })).length(maxDrops.length),
})
export type Judgement = z.infer<typeof judgement>

/** Judges a bundle's own policy on `splits` random halves of the data, from one pass over them. */
export async function judgeSplits(path: string, data: string): Promise<Judgement> {
  const bundle = await openBundleFolder(path)
  const { manifest } = bundle
  const dataset = await openDataset(data, { sampleShape: sampleShapeOf(manifest.input), classes: manifest.classes })
  const model = await createOnnxRuntimeBackend().load(bundle)
  try {
    return judgeScores(manifest, await collectScores(model, manifest, dataset))
  } finally {
    await model.dispose()
  }
}

/** The same from scores at hand. Split `n` has the halves of the data in the order `shuffle=n`, and is tuned as `sluice calibrate` does. */
export function judgeScores(manifest: Pick<BundleManifest, 'stages' | 'gates'>, cache: ScoreCache): Judgement {
  const policy = manifest.gates[0]?.policy.name ?? ''
  const scoring = { family: findPolicyFamily(policy), cost: countMacsCost(manifest) }
  const samples = cache.final.rows
  const half = Math.floor(samples / 2)
  const judged = Array.from({ length: splits }, (_, split) => {
    const order = permute(samples, split)
    const tuning = createTuningSamples(selectCachedSamples(cache, order.slice(0, half)), scoring)
    const unseen = selectCachedSamples(cache, order.slice(half))
    return maxDrops.map((maxDrop) => {
      const choice = chooseExits(tuning, { maxDrop, search: 'level' })
      return evaluateThresholds(tabulateGates(unseen, choice, scoring), choice.point.thresholds)
    })
  })
  const points = maxDrops.map((maxDrop, index) => {
    const ofSplits = judged.flatMap((atDrops) => atDrops[index] ?? [])
    const summarise = (values: number[]) => ({ median: findMedian(values), values })
    return {
      maxDrop,
      drop: summarise(ofSplits.map(({ drop }) => drop)),
      macsSaved: summarise(ofSplits.map(({ saved }) => saved)),
    }
  })
  return { policy, samples, fullAccuracy: measureAccuracy(cache), points }
}

function measureAccuracy({ final, labels }: ScoreCache): number {
  if (labels === null) throw new Error('The test images have no labels to judge by.')
  return argmaxRows(final).reduce((right, answer, row) => right + (answer === labels[row] ? 1 : 0), 0) / final.rows
}
