import type { Tfjs } from '@sluice/adapter-tfjs'
import { InvalidArgumentError } from '@sluice/core'
import type * as tf from '@tensorflow/tfjs'
import { inputName, type NetworkPlan } from './network-plan.ts'
import { type Operation, ruleOf } from './operations/operation.ts'
import type { ForwardContext } from './operations/operation-rule.ts'

/** One forward pass. */
export interface PlanRun extends Pick<ForwardContext, 'training' | 'parameter'> {
  readonly plan: NetworkPlan
  readonly images: tf.Tensor4D
  /** Names of the values to give. */
  readonly values: readonly string[]
}

/**
 * Runs the operations that `values` depend on, in the plan's order, and frees every activation after its last reader.
 *
 * @returns the values in the order asked for; the caller owns them
 * @throws InvalidArgumentError for a value that no operation gives
 */
export function runPlan(tf: Tfjs, { plan, images, values, training, parameter }: PlanRun): tf.Tensor[] {
  const operations = selectOperations(plan, values)
  const lastReader = new Map(operations.flatMap(({ name, inputs }) => inputs.map((input) => [input, name])))
  const kept = new Set([inputName, ...values])
  return tf.tidy(() => {
    const tensors = new Map<string, tf.Tensor>([[inputName, images]])
    const read = <R extends tf.Rank>(name: string, rank: number) => requireRank<R>(name, tensors.get(name), rank)
    for (const operation of operations) {
      const { name, inputs } = operation
      const map = (index = 0) => read<tf.Rank.R4>(inputs[index] ?? '', 4)
      const rows = () => read<tf.Rank.R2>(inputs[0] ?? '', 2)
      tensors.set(
        name,
        tf.tidy(() => ruleOf(operation).forward(operation, { tf, training, parameter, map, rows })),
      )
      const idle = inputs.filter((input) => lastReader.get(input) === name && !kept.has(input))
      tf.dispose(idle.flatMap((input) => tensors.get(input) ?? []))
    }
    return values.flatMap((name) => tensors.get(name) ?? [])
  })
}

/** The operations that the values depend on, values included, in the plan's order. */
function selectOperations(plan: NetworkPlan, values: readonly string[]): Operation[] {
  const operations = plan.operations.map(({ operation }) => operation)
  const unknown = values.find((value) => !operations.some(({ name }) => name === value))
  if (unknown !== undefined) {
    const blocks = plan.blocks.map(({ name }) => name).join(', ')
    throw new InvalidArgumentError(`The network has no value '${unknown}'. Ask for 'logits' or a block: ${blocks}.`)
  }
  const needed = new Set(values)
  for (const { name, inputs } of operations.toReversed()) {
    if (needed.has(name)) for (const input of inputs) needed.add(input)
  }
  return operations.filter(({ name }) => needed.has(name))
}

function requireRank<R extends tf.Rank>(name: string, tensor: tf.Tensor | undefined, rank: number): tf.Tensor<R> {
  if (tensor?.rank === rank) return tensor as tf.Tensor<R>
  throw new InvalidArgumentError(
    `'${name}' has shape [${tensor?.shape.join(', ')}], but a tensor of ${rank} dimensions is needed. Pass images as [batch, height, width, channels].`,
  )
}
