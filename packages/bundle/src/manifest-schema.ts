import type { BundleManifest } from '@sluice/core'
import { z } from 'zod'

/** Name of the manifest inside a bundle. */
export const manifestFile = 'sluice.json'

const text = z.string().min(1)
const count = z.int().min(1)
const macs = z.int().min(0)
const share = z.number().min(0).max(1)
const shape = z.array(count)

/**
 * A portable path inside the bundle: `/` between segments that neither start with a dot nor hold anything but letters,
 * digits, `.`, `_` and `-`. So no path leaves the folder, on any system.
 */
const path = z
  .string()
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/, 'not a plain path inside the bundle')

const input = z.strictObject({
  name: text,
  dataType: z.literal('float32'),
  shape,
  layout: z.enum(['NCHW', 'NHWC', 'none']),
  mean: z.array(z.number()),
  std: z.array(z.number().gt(0)),
  resize: count.nullable(),
})

const stage = z.strictObject({
  file: path,
  macs: z.strictObject({ backbone: macs, head: macs }),
  input: text,
  output: text.nullable(),
  outputShape: shape.nullable(),
  scores: text,
  headFile: path.optional(),
  scoresInput: text.optional(),
  features: z.strictObject({ output: text, width: count }).optional(),
})

const head = z.strictObject({
  kind: z.enum(['linear', 'mlp', 'convolutional']),
  pooling: z.strictObject({ size: count, kind: z.enum(['average', 'average+maximum', 'class-token']) }),
  hidden: count.nullable(),
  channels: z.array(count).min(1).optional(),
  loss: z.enum(['hinge', 'crammer-singer', 'cross-entropy', 'distillation']),
  parameters: z.int().min(0),
  fitAccuracy: share,
  weightNorms: z.array(z.number().min(0)),
})

const policy = z.strictObject({ name: text, parameters: z.record(z.string(), z.json()) })

const gate = z.strictObject({
  stage: z.int().min(0),
  share,
  head,
  policy: policy.extend({ threshold: z.number().nullable() }),
})

const calibration = z.strictObject({
  data: z.string(),
  samples: z.int().min(0),
  seed: z.int(),
  target: z.strictObject({ maxDrop: z.number(), confidence: share.nullable() }),
  reference: z.enum(['labels', 'full-network']),
  cost: z.enum(['macs', 'time']),
  measured: z.strictObject({
    accuracy: share,
    drop: z.number(),
    macsPerSample: z.number().min(0),
    macsSaved: z.number(),
    exitShares: z.array(share),
  }),
  guarantee: z
    .strictObject({
      risk: z.enum(['accuracy-gap', 'disagreement']),
      bound: share,
      samples: count,
      losses: z.int().min(0),
      tuningSamples: count,
    })
    .nullable(),
})

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in lower-case hexadecimal digits')

/** The form of a manifest, version 1; unknown fields are refused. `findInconsistencies` checks what joins the fields. */
export const bundleManifestSchema = z.strictObject({
  specVersion: z.literal('v1'),
  format: z.enum(['onnx', 'tfjs-layers', 'tfjs-graph', 'reference']),
  name: text,
  input,
  classes: z.array(z.string()).min(1),
  macs,
  stages: z.array(stage).min(1),
  gates: z.array(gate),
  endPolicy: policy.optional(),
  calibration: calibration.nullable(),
  files: z.record(path, z.strictObject({ sha256, bytes: z.int().min(0) })),
}) satisfies z.ZodType<BundleManifest>

/** The form of `sluice.json`: a manifest and, as its last field, the SHA-256 of the file's text without that field. */
export const manifestFileSchema = bundleManifestSchema.extend({ checksum: sha256 })

/** The JSON Schema of `sluice.json`, as committed at `schema/sluice.v1.schema.json`. */
export function createManifestJsonSchema(): object {
  return { title: 'sluice.json, version 1', ...z.toJSONSchema(manifestFileSchema) }
}
