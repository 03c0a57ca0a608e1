import { z } from 'zod'
import { bottleneckResnetSchema, planBottleneckResnet } from './architectures/bottleneck-resnet.ts'
import { densenetSchema, planDensenet } from './architectures/densenet.ts'
import { mobilenetV2Schema, planMobilenetV2 } from './architectures/mobilenet-v2.ts'
import { plainSchema, planPlain } from './architectures/plain.ts'
import { planResnet, resnetSchema } from './architectures/resnet.ts'
import { InvalidNetworkConfigError } from './errors.ts'
import type { NetworkPlan } from './network-plan.ts'

/** A network as its user describes it in JSON, with defaults filled in by parsing. */
export const networkConfigSchema = z.discriminatedUnion('kind', [
  resnetSchema,
  bottleneckResnetSchema,
  densenetSchema,
  mobilenetV2Schema,
  plainSchema,
])

/** A parsed config. */
export type NetworkConfig = z.infer<typeof networkConfigSchema>

const planners: {
  readonly [K in NetworkConfig['kind']]: (config: Extract<NetworkConfig, { kind: K }>) => NetworkPlan
} = {
  resnet: planResnet,
  'bottleneck-resnet': planBottleneckResnet,
  densenet: planDensenet,
  'mobilenet-v2': planMobilenetV2,
  plain: planPlain,
}

/** Checks a config. @throws InvalidNetworkConfigError that names every wrong field */
export function parseNetworkConfig(value: unknown): NetworkConfig {
  const { success, data, error } = networkConfigSchema.safeParse(value)
  if (success) return data
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'config'}: ${message}`)
  throw new InvalidNetworkConfigError(`${problems.join('; ')}.`)
}

/** The operations of the described network. @throws InvalidNetworkConfigError when the images are too small for it */
export function planNetwork(config: NetworkConfig): NetworkPlan {
  const plan = planners[config.kind] as (config: NetworkConfig) => NetworkPlan
  return plan(config)
}
