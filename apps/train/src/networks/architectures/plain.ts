import { z } from 'zod'
import type { NetworkPlan } from '../network-plan.ts'
import { createPlanBuilder } from '../plan-builder.ts'
import { commonFields, scaleChannels } from './common.ts'

/** A plain convolutional network, e.g. `[32, 'pool', 64, 64, 'pool', 128]`. */
export const plainSchema = z.strictObject({
  kind: z.literal('plain'),
  ...commonFields,
  /** Channels of a 3x3 convolution with batch normalisation and ReLU; or a maximum over 2x2 of stride 2. */
  layers: z
    .array(z.union([z.int().min(1), z.literal('pool')]))
    .refine((layers) => layers.some((layer) => layer !== 'pool'), 'must name at least one convolution'),
})

/** The config of a plain network. */
export type PlainConfig = z.infer<typeof plainSchema>

/** Convolutions one behind the other, in the manner of VGG (arXiv 1409.1556) with batch normalisation. */
export function planPlain({ layers, width, classes, input }: PlainConfig): NetworkPlan {
  const plan = createPlanBuilder(input)
  let map = 'input'
  let blocks = 0
  for (const [index, layer] of layers.entries()) {
    if (layer === 'pool') {
      map = plan.pool(`pool${index + 1}`, map, 'maximum', 2, 2)
      continue
    }
    const name = `block${++blocks}`
    const convolved = plan.convolution(`${name}.conv`, map, { channels: scaleChannels(layer, width), size: 3 })
    map = plan.block(plan.activate(name, plan.normalize(`${name}.norm`, convolved)))
  }
  plan.classify(map, classes)
  return plan.build()
}
