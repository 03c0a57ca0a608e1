import { z } from 'zod'
import type { NetworkPlan } from '../network-plan.ts'
import { createPlanBuilder, type PlanBuilder } from '../plan-builder.ts'
import { commonFields, formField, scaleChannels } from './common.ts'
import { appendStem } from './stem.ts'

const layersPerStage = { 121: [6, 12, 24, 16], 201: [6, 12, 48, 32] } as const

/** DenseNet-121 or -201. */
export const densenetSchema = z.strictObject({
  kind: z.literal('densenet'),
  ...commonFields,
  form: formField,
  depth: z.literal([121, 201]),
})

/** The config of a DenseNet. */
export type DensenetConfig = z.infer<typeof densenetSchema>

/**
 * DenseNet-BC with growth rate 32 (Huang et al., arXiv 1608.06993, table 1). A layer's output is all that later ones read,
 * so every layer and every transition is a block.
 */
export function planDensenet(config: DensenetConfig): NetworkPlan {
  const { depth, form, width, classes } = config
  const plan = createPlanBuilder(config.input)
  const growth = scaleChannels(32, width)
  let map = appendStem(plan, form, 2 * growth)
  for (const [stage, count] of layersPerStage[depth].entries()) {
    const prefix = `stage${stage + 1}`
    for (let layer = 1; layer <= count; layer++) map = appendDenseLayer(plan, `${prefix}.layer${layer}`, map, growth)
    if (stage < 3) map = appendTransition(plan, `${prefix}.transition`, map)
  }
  const normalized = plan.normalize('head.norm', map)
  plan.classify(plan.activate('head.relu', normalized), classes)
  return plan.build()
}

function appendDenseLayer(plan: PlanBuilder, name: string, input: string, growth: number): string {
  const ready = plan.activate(`${name}.relu1`, plan.normalize(`${name}.norm1`, input))
  const narrow = plan.convolution(`${name}.conv1`, ready, { channels: 4 * growth, size: 1 })
  const inner = plan.activate(`${name}.relu2`, plan.normalize(`${name}.norm2`, narrow))
  const added = plan.convolution(`${name}.conv2`, inner, { channels: growth, size: 3 })
  return plan.block(plan.concatenate(name, input, added))
}

function appendTransition(plan: PlanBuilder, name: string, input: string): string {
  const ready = plan.activate(`${name}.relu`, plan.normalize(`${name}.norm`, input))
  const channels = Math.floor(plan.channelsOf(input) / 2)
  const half = plan.convolution(`${name}.conv`, ready, { channels, size: 1 })
  return plan.block(plan.pool(name, half, 'average', 2, 2))
}
