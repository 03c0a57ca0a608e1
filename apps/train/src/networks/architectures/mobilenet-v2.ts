import { z } from 'zod'
import type { NetworkPlan } from '../network-plan.ts'
import { createPlanBuilder, type PlanBuilder } from '../plan-builder.ts'
import { commonFields, formField } from './common.ts'

/** Expansion, channels, blocks and stride of each stage (arXiv 1801.04381, table 2). */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** MobileNetV2. In CIFAR form the stem and the first stage of stride 2 do not stride. */
export const mobilenetV2Schema = z.strictObject({
  kind: z.literal('mobilenet-v2'),
  ...commonFields,
  form: formField,
})

/** The config of a MobileNetV2. */
export type MobilenetV2Config = z.infer<typeof mobilenetV2Schema>

/** Inverted residual blocks with linear bottlenecks (Sandler et al., arXiv 1801.04381), without its dropout. */
export function planMobilenetV2(config: MobilenetV2Config): NetworkPlan {
  const { form, width, classes } = config
  const plan = createPlanBuilder(config.input)
  const stemOptions = { channels: roundToEight(32 * width), size: 3, stride: form === 'cifar' ? 1 : 2 }
  const stem = plan.convolution('stem.conv', 'input', stemOptions)
  let map = plan.activate('stem', plan.normalize('stem.norm', stem), 'relu6')
  let index = 0
  for (const [stage, [expansion, base, count, published]] of stages.entries()) {
    const channels = roundToEight(base * width)
    const firstStride = form === 'cifar' && stage === 1 ? 1 : published
    for (let block = 0; block < count; block++) {
      const stride = block === 0 ? firstStride : 1
      map = appendInvertedResidual(plan, `block${++index}`, map, { expansion, channels, stride })
    }
  }
  const last = plan.convolution('head.conv', map, { channels: roundToEight(1280 * Math.max(1, width)), size: 1 })
  plan.classify(plan.activate('head.relu', plan.normalize('head.norm', last), 'relu6'), classes)
  return plan.build()
}

interface InvertedResidualOptions {
  readonly expansion: number
  readonly channels: number
  readonly stride: number
}

function appendInvertedResidual(
  plan: PlanBuilder,
  name: string,
  input: string,
  { expansion, channels, stride }: InvertedResidualOptions,
): string {
  const inputs = plan.channelsOf(input)
  const expanded = expansion === 1 ? input : appendExpansion(plan, name, input, expansion * inputs)
  const spatial = plan.depthwise(`${name}.depthwise`, expanded, { size: 3, stride })
  const inner = plan.activate(`${name}.relu2`, plan.normalize(`${name}.norm2`, spatial), 'relu6')
  const projected = plan.convolution(`${name}.project`, inner, { channels, size: 1 })
  if (stride !== 1 || inputs !== channels) return plan.block(plan.normalize(name, projected))
  return plan.block(plan.add(name, input, plan.normalize(`${name}.norm3`, projected)))
}

function appendExpansion(plan: PlanBuilder, name: string, input: string, channels: number): string {
  const wide = plan.convolution(`${name}.expand`, input, { channels, size: 1 })
  return plan.activate(`${name}.relu1`, plan.normalize(`${name}.norm1`, wide), 'relu6')
}

/** The nearest multiple of eight, at least eight, and not more than a tenth below the asked number, as published. */
function roundToEight(channels: number): number {
  const rounded = Math.max(8, 8 * Math.floor(channels / 8 + 0.5))
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}
