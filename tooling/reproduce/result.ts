import { z } from 'zod'
import {
  attachAnswer,
  benchAnswer,
  calibrateAnswer,
  compareAnswer,
  evaluateAnswer,
  imagenetAnswer,
  trainAnswer,
} from './sluice-answers.ts'

const variant = z.strictObject({
  name: z.enum(['paper', 'best']),
  attach: attachAnswer,
  /** Gates and thresholds chosen on one half of the test images and judged on the other, over random halves. */
  compare: compareAnswer,
  /** Thresholds, exits and times of one such half at two points of drop, by the policy that saves most there. */
  calibrate: calibrateAnswer,
  evaluate: evaluateAnswer,
  bench: benchAnswer,
})
/** The gates of one kind on a network, and what they do. */
export type Variant = z.infer<typeof variant>

/** Everything that a run found out about one network: the file in docs/results. */
export const reproduction = z.strictObject({
  specVersion: z.literal('v1'),
  network: z.string(),
  scale: z.enum(['full', 'small']),
  date: z.iso.date(),
  /** Of the repository; null outside a checkout. A `+` at the end says that files were changed. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}\+?$/)
    .nullable(),
  hardware: z.strictObject({
    processor: z.string(),
    cores: z.int().min(1),
    memoryGiB: z.number(),
    platform: z.string(),
  }),
  versions: z.strictObject({ node: z.string(), sluice: z.string(), onnxruntime: z.string() }),
  /** With the device and the versions of PyTorch; null for a network that was given. */
  training: trainAnswer.nullable(),
  /** Of torchvision's weights; null elsewhere. */
  weights: imagenetAnswer.nullable(),
  /** Of one image, and of the whole network. */
  macs: z.int().min(1),
  parameters: z.int().min(1),
  variants: z.array(variant).length(2),
  /** In the order they ran; $NAME stands for a folder. */
  commands: z.array(z.strictObject({ command: z.string(), seconds: z.number() })),
})
/** See `reproduction`. */
export type Reproduction = z.infer<typeof reproduction>
