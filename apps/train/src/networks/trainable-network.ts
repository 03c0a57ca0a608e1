import type { Tfjs } from '@sluice/adapter-tfjs'
import { InvalidArgumentError } from '@sluice/core'
import type * as tf from '@tensorflow/tfjs'
import { listParameters, type NetworkPlan } from './network-plan.ts'
import type { ParameterDescription } from './operations/operation-rule.ts'
import { createInitialValues, type ParameterValues, readParameter } from './parameter-values.ts'
import { runPlan } from './run-plan.ts'

/** A variable that a gradient moves. */
export interface TrainedParameter {
  readonly name: string
  readonly variable: tf.Variable
  /** Whether weight decay applies: not to batch normalisation and biases. */
  readonly decays: boolean
}

/** A network whose parameters are TensorFlow variables on one backend. */
export interface TrainableNetwork {
  readonly plan: NetworkPlan
  /** In the plan's order. */
  readonly parameters: readonly TrainedParameter[]
  /** Moving means and variances, in the plan's order. */
  readonly statistics: readonly { readonly name: string; readonly variable: tf.Variable }[]
  /**
   * Runs as much of the network as the named values need: outputs of blocks, `logits`, or any other operation's.
   *
   * @param images `[batch, height, width, channels]`; stays the caller's
   * @param training batch statistics normalise and move the moving ones; otherwise the moving ones normalise
   * @returns the values in the order asked for, `[batch, ...shape]`; the caller disposes them
   * @throws InvalidArgumentError for a name that the plan does not have
   */
  forward(images: tf.Tensor4D, training: boolean, values: readonly string[]): tf.Tensor[]
  /** Frees all variables. */
  dispose(): void
}

/**
 * A network with initial values: He's normal distribution for convolutions, 1 and 0 for batch normalisation. The same seed
 * gives the same values on every backend.
 *
 * @param seed whole number of 32 bits
 */
export function createTrainableNetwork(tf: Tfjs, plan: NetworkPlan, seed: number): TrainableNetwork {
  const initial = createInitialValues(plan, seed)
  const create = (description: ParameterDescription) => {
    const { name, decays, trained } = description
    return { name, variable: createVariable(tf, description, initial), decays, trained }
  }
  const all = listParameters(plan).map(create)
  const variables = new Map(all.map(({ name, variable }) => [name, variable]))
  const parameter = <R extends tf.Rank>(name: string) => {
    const variable = variables.get(name)
    if (variable === undefined) throw new InvalidArgumentError(`The plan has no parameter '${name}'.`)
    return variable as tf.Variable<R>
  }
  return {
    plan,
    parameters: all.filter(({ trained }) => trained),
    statistics: all.filter(({ trained }) => !trained),
    forward: (images, training, values) => runPlan(tf, { plan, parameter, training, images, values }),
    dispose() {
      tf.dispose(all.map(({ variable }) => variable))
    },
  }
}

/** Copies a network's parameters and moving statistics from its backend. */
export async function readParameterValues(network: TrainableNetwork): Promise<ParameterValues> {
  const variables = [...network.parameters, ...network.statistics]
  const data = await Promise.all(variables.map(({ variable }) => variable.data<'float32'>()))
  return new Map(variables.map(({ name }, index) => [name, Float32Array.from(data[index] ?? [])]))
}

/**
 * Replaces all parameters and moving statistics.
 * @throws WeightMismatchError when values of one are missing or of another length
 */
export function assignParameterValues(tf: Tfjs, network: TrainableNetwork, values: ParameterValues): void {
  const data = new Map(
    listParameters(network.plan).map((description) => [description.name, readParameter(values, description)]),
  )
  for (const { name, variable } of [...network.parameters, ...network.statistics]) {
    tf.tidy(() => variable.assign(tf.tensor(data.get(name) ?? [], variable.shape)))
  }
}

function createVariable(tf: Tfjs, description: ParameterDescription, values: ParameterValues): tf.Variable {
  const { shape, trained } = description
  return tf.tidy(() => tf.variable(tf.tensor(readParameter(values, description), [...shape]), trained))
}
