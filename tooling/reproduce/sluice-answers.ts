// What a run reads of the programs' JSON answers; for `sluice` the contract is the command's documentation.

import { z } from 'zod'

const count = z.int().min(0)
const share = z.number().min(0).max(1)
/** Saved time or cost, as a fraction of the full network's; negative where gates cost more than they save. */
const saved = z.number().max(1)

/** Of `sluice inspect`: MACs of one image, and every cut with the shape of one row and its share of the MACs. */
export const inspectAnswer = z.object({
  macs: count,
  parameters: count,
  cuts: z.array(z.object({ tensor: z.string(), shape: z.array(count), share })),
})
/** See `inspectAnswer`. */
export type InspectAnswer = z.infer<typeof inspectAnswer>

/** Of `sluice attach`, without the path of the bundle: where gates stand, and seconds. */
export const attachAnswer = z.object({
  gates: z.array(
    z.object({
      stage: count,
      tensor: z.string(),
      share,
      head: z.string(),
      parameters: count,
      macs: count,
      fitAccuracy: share,
    }),
  ),
  seconds: z.object({ total: z.number(), forward: z.number(), plainForward: z.number(), fit: z.number() }),
})

/** A median over the splits, and the ends of its bootstrap interval. */
const estimate = z.object({ median: z.number(), low: z.number(), high: z.number() })

/** Of `sluice compare`, without the curves: medians over the splits, what is saved and `area` as fractions of 1. */
export const compareAnswer = z.object({
  samples: count,
  splits: count,
  seed: count,
  intervals: z.object({ resamples: count, confidence: share }),
  fullAccuracy: estimate,
  policies: z.array(
    z.object({
      policy: z.string(),
      /** Chosen on one half for at most so many points of drop: what the other half loses, in points, and saves. */
      atDrop: z.array(z.object({ maxDrop: z.number(), drop: estimate, macsSaved: estimate })),
      area: estimate,
    }),
  ),
})
/** See `compareAnswer`. */
export type CompareAnswer = z.infer<typeof compareAnswer>

/** Of `sluice calibrate`: a threshold for each gate, null where it is off. */
export const calibrateAnswer = z.object({
  policy: z.string(),
  thresholds: z.array(z.number().nullable()),
  tuning: z.object({ samples: count, drop: z.number(), macsSaved: saved }),
})

/** Of `sluice evaluate`: `drop` in points, everything saved and shared as a fraction of 1. */
export const evaluateAnswer = z.object({
  samples: count,
  accuracy: share,
  fullAccuracy: share,
  drop: z.number(),
  agreement: share,
  macsPerSample: z.number(),
  fullMacs: count,
  macsSaved: saved,
  exits: z.array(z.object({ stage: count, share, accuracy: share.nullable() })),
  timeSaved: saved,
})

const timing = z.object({ median: z.number(), min: z.number(), max: z.number() })
const gatedTimes = { gated: timing, noExit: timing, timeSaved: saved, overhead: z.number() }

/** Of `sluice bench`: milliseconds per batch, `fused` for the network in one file. */
export const benchAnswer = z.object({
  batch: z.array(
    z.object({
      size: count,
      full: timing,
      ...gatedTimes,
      macsSaved: saved,
      idealTimeSaved: saved,
      fused: z.object(gatedTimes).optional(),
    }),
  ),
})

/** Of `train.py`: seconds of the training alone, losses per epoch. */
export const trainAnswer = z.object({
  network: z.string(),
  width: z.number(),
  parameters: count,
  device: z.string(),
  precision: z.enum(['bf16', 'float32']),
  batch: count,
  epochs: count,
  seed: count,
  images: count,
  seconds: z.number(),
  losses: z.array(z.number()),
  testImages: count,
  testAccuracy: share,
  versions: z.object({ python: z.string(), torch: z.string(), cuda: z.string().nullable() }),
})

/** Of `imagenet.py`. */
export const imagenetAnswer = z.object({
  network: z.string(),
  width: z.number(),
  classes: count,
  isRandom: z.boolean(),
  parameters: count,
  weightsSha256: z.string(),
  versions: trainAnswer.shape.versions,
})
