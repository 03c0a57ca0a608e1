import { z } from 'zod'
import type { NetworkPlan } from '../network-plan.ts'
import { createPlanBuilder, type PlanBuilder } from '../plan-builder.ts'
import { commonFields, scaleChannels } from './common.ts'
import { appendProjection } from './projection.ts'

/** ResNet-n for CIFAR, `n = 6k + 2`: 20, 32, 44, 56, 110... */
export const resnetSchema = z.strictObject({
  kind: z.literal('resnet'),
  ...commonFields,
  depth: z
    .int()
    .min(8)
    .refine((depth) => depth % 6 === 2, 'must be 6k + 2: 8, 14, 20, 32, 44, 56, 110...'),
  /** Where the map changes: pixels left out and zero channels added (option A), or a 1x1 convolution (option B). */
  shortcut: z.enum(['identity-padded', 'projection']).default('identity-padded'),
  /** Starts each residual branch at zero. */
  zeroInitResidual: z.boolean().default(false),
})

/** The config of a ResNet for CIFAR. */
export type ResnetConfig = z.infer<typeof resnetSchema>

/** Three stages of `k` basic blocks with 16, 32 and 64 channels (He et al., arXiv 1512.03385, section 4.2). */
export function planResnet(config: ResnetConfig): NetworkPlan {
  const plan = createPlanBuilder(config.input)
  const blocksPerStage = (config.depth - 2) / 6
  const stem = plan.convolution('stem.conv', 'input', { channels: scaleChannels(16, config.width), size: 3 })
  let map = plan.activate('stem', plan.normalize('stem.norm', stem))
  for (let index = 0; index < 3 * blocksPerStage; index++) {
    const stage = Math.floor(index / blocksPerStage)
    const stride = stage > 0 && index % blocksPerStage === 0 ? 2 : 1
    const channels = scaleChannels(16 * 2 ** stage, config.width)
    map = appendBasicBlock(plan, `block${index + 1}`, map, { ...config, stride, channels })
  }
  plan.classify(map, config.classes)
  return plan.build()
}

interface BlockOptions extends Pick<ResnetConfig, 'shortcut' | 'zeroInitResidual'> {
  readonly stride: number
  readonly channels: number
}

function appendBasicBlock(plan: PlanBuilder, name: string, input: string, options: BlockOptions): string {
  const { stride, channels, zeroInitResidual } = options
  const first = plan.convolution(`${name}.conv1`, input, { channels, size: 3, stride })
  const inner = plan.activate(`${name}.relu1`, plan.normalize(`${name}.norm1`, first))
  const second = plan.convolution(`${name}.conv2`, inner, { channels, size: 3 })
  const branch = plan.normalize(`${name}.norm2`, second, zeroInitResidual ? 0 : 1)
  const changes = stride !== 1 || channels !== plan.channelsOf(input)
  const shortcut = changes ? appendShortcut(plan, name, input, options) : input
  return plan.block(plan.activate(name, plan.add(`${name}.sum`, shortcut, branch)))
}

function appendShortcut(plan: PlanBuilder, name: string, input: string, options: BlockOptions): string {
  const { shortcut, stride, channels } = options
  if (shortcut === 'projection') return appendProjection(plan, name, input, options)
  return plan.subsample(`${name}.shortcut`, input, stride, channels)
}
