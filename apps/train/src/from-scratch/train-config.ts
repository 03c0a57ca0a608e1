import { z } from 'zod'
import { networkConfigSchema } from '../networks/network-config.ts'
import { InvalidTrainConfigError } from './errors.ts'

const count = z.int().min(1)
const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)

const blocks = z
  .array(z.string())
  .min(1)
  .refine((names) => new Set(names).size === names.length, 'names a block twice')

/** Where gates stand: at named blocks, or so many, spread by share of the MACs. */
const placement = { at: blocks.nullable().default(null), count: count.nullable().default(null) }

const jointGates = z
  .strictObject({
    kind: z.literal('joint'),
    ...placement,
    /** Windows per axis of the heads' pooling. */
    pool: count.default(4),
    /** Width of the heads' hidden layer; null for linear heads. */
    hidden: count.nullable().default(128),
    /** Weights of the exits' losses: one per gate and one for the network's end, or how to find them. */
    weights: z.union([z.enum(['branchynet', 'learned']), z.array(z.number().gt(0)).min(1)]).default('branchynet'),
  })
  .refine(({ at, count }) => (at === null) !== (count === null), 'give either at or count')
  .refine(
    ({ at, count, weights }) => typeof weights === 'string' || weights.length === (at?.length ?? count ?? 0) + 1,
    {
      path: ['weights'],
      error: "give one number per gate and one for the network's end",
    },
  )

const gatesAfter = z
  .strictObject({
    kind: z.literal('after'),
    ...placement,
    pool: count.default(4),
    hidden: count.nullable().default(256),
    /** Rank of the hidden layer; null keeps it whole. */
    rank: count.nullable().default(64),
    loss: z.enum(['hinge', 'crammer-singer', 'cross-entropy', 'distillation']).default('cross-entropy'),
  })
  .refine(({ at, count }) => at === null || count === null, 'give at or count, or neither to place gates from the data')

/** The form of a training's config. Fields that are left out get the values shown. */
const trainConfigSchema = z
  .strictObject({
    network: networkConfigSchema,
    /** DATA strings; without test data no test accuracy is measured. */
    data: z.string().min(1),
    test: z.string().min(1).nullable().default(null),
    /** An ONNX file with weights to start from, e.g. to add joint gates to a trained network. */
    initialWeights: z.string().min(1).nullable().default(null),
    /** A pixel `v` in 0..1 enters as `(v - mean[c]) / std[c]`; ImageNet's for three channels when null. */
    mean: z.array(z.number()).nullable().default(null),
    std: z.array(z.number().gt(0)).nullable().default(null),
    epochs: count,
    batch: count.default(128),
    optimiser: z
      .strictObject({
        /** At its peak. */
        learningRate: z.number().gt(0).default(0.1),
        momentum: z.number().min(0).lt(1).default(0.9),
        /** Not applied to normalisation and biases. */
        weightDecay: z.number().min(0).default(5e-4),
        warmUpEpochs: z.number().min(0).default(1),
        /** Share of the target spread over all classes (Szegedy et al., arXiv 1512.00567, section 7). */
        labelSmoothing: z.number().min(0).lt(1).default(0),
      })
      .prefault({}),
    augmentation: z.strictObject({ pad: z.int().min(0).default(0), flip: z.boolean().default(false) }).prefault({}),
    seed,
    gates: z
      .discriminatedUnion('kind', [z.strictObject({ kind: z.literal('none') }), jointGates, gatesAfter])
      .default({ kind: 'none' }),
    checkpointMinutes: z.number().gt(0).default(10),
    /** Of TensorFlow.js; the fastest that is installed when null. */
    backend: z.enum(['cpu', 'wasm', 'tensorflow']).nullable().default(null),
  })
  .refine(({ mean, std }) => (mean === null) === (std === null), {
    path: ['std'],
    error: 'give mean and std together, one value per channel each',
  })

/** How a network is trained, every field filled in. */
export type TrainConfig = z.infer<typeof trainConfigSchema>

/**
 * A config from parsed JSON.
 * @param defaults what counts where the JSON names no seed
 * @throws InvalidTrainConfigError naming each field that is wrong
 */
export function parseTrainConfig(json: unknown, defaults: { readonly seed: number }): TrainConfig {
  const isObject = typeof json === 'object' && json !== null
  const { success, data, error } = trainConfigSchema.safeParse(isObject ? { seed: defaults.seed, ...json } : json)
  if (success) return data
  throw new InvalidTrainConfigError(
    error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)),
  )
}
