import { z } from 'zod'
import type { NetworkPlan } from '../network-plan.ts'
import { createPlanBuilder, type PlanBuilder } from '../plan-builder.ts'
import { commonFields, formField, scaleChannels } from './common.ts'
import { appendProjection } from './projection.ts'
import { appendStem } from './stem.ts'

const blocksPerStage = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3] } as const

/** ResNet-50, -101 or -152. */
export const bottleneckResnetSchema = z.strictObject({
  kind: z.literal('bottleneck-resnet'),
  ...commonFields,
  form: formField,
  depth: z.literal([50, 101, 152]),
  /** Starts each residual branch at zero. */
  zeroInitResidual: z.boolean().default(false),
})

/** The config of a ResNet of bottleneck blocks. */
export type BottleneckResnetConfig = z.infer<typeof bottleneckResnetSchema>

/** Four stages of bottleneck blocks (arXiv 1512.03385, table 1), version 1.5: the 3x3 convolution strides. */
export function planBottleneckResnet(config: BottleneckResnetConfig): NetworkPlan {
  const { depth, form, width, classes, zeroInitResidual } = config
  const plan = createPlanBuilder(config.input)
  let map = appendStem(plan, form, scaleChannels(64, width))
  let index = 0
  for (const [stage, count] of blocksPerStage[depth].entries()) {
    const channels = scaleChannels(64 * 2 ** stage, width)
    for (let block = 0; block < count; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1
      map = appendBottleneck(plan, `block${++index}`, map, { channels, stride, zeroInitResidual })
    }
  }
  plan.classify(map, classes)
  return plan.build()
}

interface BottleneckOptions {
  /** Of the inner convolutions; four times as many leave the block. */
  readonly channels: number
  readonly stride: number
  readonly zeroInitResidual: boolean
}

function appendBottleneck(plan: PlanBuilder, name: string, input: string, options: BottleneckOptions): string {
  const { channels, stride, zeroInitResidual } = options
  const wide = 4 * channels
  const first = plan.convolution(`${name}.conv1`, input, { channels, size: 1 })
  const narrow = plan.activate(`${name}.relu1`, plan.normalize(`${name}.norm1`, first))
  const second = plan.convolution(`${name}.conv2`, narrow, { channels, size: 3, stride })
  const inner = plan.activate(`${name}.relu2`, plan.normalize(`${name}.norm2`, second))
  const third = plan.convolution(`${name}.conv3`, inner, { channels: wide, size: 1 })
  const branch = plan.normalize(`${name}.norm3`, third, zeroInitResidual ? 0 : 1)
  const same = stride === 1 && plan.channelsOf(input) === wide
  const shortcut = same ? input : appendProjection(plan, name, input, { channels: wide, stride })
  return plan.block(plan.activate(name, plan.add(`${name}.sum`, shortcut, branch)))
}
