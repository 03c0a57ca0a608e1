import { z } from 'zod'
import { CheckpointError } from './errors.ts'
import type { TrainConfig } from './train-config.ts'

const metrics = z.strictObject({
  epoch: z.int(),
  loss: z.number(),
  trainAccuracies: z.array(z.number()),
  testAccuracies: z.array(z.number()).nullable(),
  learningRate: z.number(),
  seconds: z.number(),
})

const headerSchema = z.strictObject({
  format: z.literal('sluice-checkpoint-v1'),
  /** The config of the training, as parsed. */
  config: z.record(z.string(), z.json()),
  /** Samples of the training data. */
  samples: z.int(),
  progress: z.strictObject({
    /** Whole epochs done. */
    epoch: z.int(),
    /** Steps done of the epoch after these. */
    step: z.int(),
    /** Sums over the steps of that epoch. */
    lossSum: z.number(),
    right: z.array(z.int()),
    seconds: z.number(),
    /** Of the whole epochs. */
    metrics: z.array(metrics),
    /** State of the learned loss weights; empty where none are learned. */
    lossWeights: z.array(z.number()),
  }),
  values: z.array(z.strictObject({ name: z.string(), length: z.int() })),
})

/** How far a training is, besides its variables. Everything random follows from the config's seed and these counts. */
export type TrainProgress = z.infer<typeof headerSchema>['progress']

/** A training at one step. */
export interface Checkpoint {
  readonly config: TrainConfig
  readonly samples: number
  readonly progress: TrainProgress
  /** Parameters, statistics and velocities by name. */
  readonly values: ReadonlyMap<string, Float32Array>
}

/** Length of the header in the first bytes, the header as JSON, then all values as little-endian floats, in its order. */
export function encodeCheckpoint({ config, samples, progress, values }: Checkpoint): Uint8Array {
  const entries = [...values].map(([name, { length }]) => ({ name, length }))
  const json = JSON.stringify({ format: 'sluice-checkpoint-v1', config, samples, progress, values: entries })
  const header = new TextEncoder().encode(json.padEnd(json.length + 3))
  const headerBytes = header.length - (header.length % 4)
  const total = entries.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(4 + headerBytes + 4 * total)
  new DataView(bytes.buffer).setUint32(0, headerBytes, true)
  bytes.set(header.subarray(0, headerBytes), 4)
  let offset = 4 + headerBytes
  for (const value of values.values()) {
    bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), offset)
    offset += value.byteLength
  }
  return bytes
}

/**
 * Reads a checkpoint of the training that `config` describes. Backend and interval may differ from what they were.
 * @throws CheckpointError when it is damaged or belongs to another training, naming the field that differs
 */
export function decodeCheckpoint(bytes: Uint8Array, config: TrainConfig, samples: number): Checkpoint {
  const { header, offset } = readHeader(bytes)
  checkSameTraining(header.config, config)
  if (header.samples !== samples) {
    throw new CheckpointError(`its training data had ${header.samples} samples and these have ${samples}.`)
  }
  const total = header.values.reduce((sum, { length }) => sum + 4 * length, offset)
  if (total !== bytes.length) {
    throw new CheckpointError(
      `it has ${bytes.length} bytes instead of ${total}; it was cut off. Start without --resume.`,
    )
  }
  let start = offset
  const values = header.values.map(({ name, length }) => {
    // Copied, as floats need aligned memory; slice would not copy Node's buffers.
    const { buffer } = new Uint8Array(bytes.subarray(start, start + 4 * length))
    start += 4 * length
    return [name, new Float32Array(buffer)] as const
  })
  return { config, samples, progress: header.progress, values: new Map(values) }
}

function readHeader(bytes: Uint8Array) {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(4, 4 + length))
    return { header: headerSchema.parse(JSON.parse(text)), offset: 4 + length }
  } catch {
    throw new CheckpointError('it is no checkpoint of this release, or damaged. Start without --resume.')
  }
}

/** What does not change what is computed. */
const freeFields: readonly string[] = ['backend', 'checkpointMinutes'] satisfies (keyof TrainConfig)[]

function checkSameTraining(saved: Readonly<Record<string, unknown>>, config: TrainConfig): void {
  for (const [field, value] of Object.entries(config)) {
    if (freeFields.includes(field) || JSON.stringify(saved[field]) === JSON.stringify(value)) continue
    throw new CheckpointError(
      `its training had ${field} ${JSON.stringify(saved[field])} and this one has ${JSON.stringify(value)}. Resume with the config it was started with, or start without --resume.`,
    )
  }
}
