import { countElements } from '@sluice/core'
import { createRandom } from '@sluice/datasets'
import { WeightMismatchError } from './errors.ts'
import { listParameters, type NetworkPlan } from './network-plan.ts'
import type { ParameterDescription } from './operations/operation-rule.ts'

/** Values of parameters and moving statistics by name, in TensorFlow's layout. */
export type ParameterValues = ReadonlyMap<string, Float32Array>

/**
 * What training starts from: He's normal distribution for convolutions, 1 and 0 for batch normalisation.
 *
 * @param seed whole number of 32 bits; each parameter draws from a stream of its own
 */
export function createInitialValues(plan: NetworkPlan, seed: number): ParameterValues {
  return new Map(
    listParameters(plan).map(({ name, shape, initial }, stream) => {
      const values = new Float32Array(countElements(shape))
      if ('value' in initial) return [name, values.fill(initial.value)]
      const random = createRandom(seed, stream)
      return [name, values.map(() => initial.deviation * random.normal())]
    }),
  )
}

/** A parameter with its values. */
export interface ParameterWithValues {
  readonly description: ParameterDescription
  readonly data: Float32Array
}

/**
 * Looks up the plan's parameters among `values`.
 * @throws WeightMismatchError, when called, for values that are missing or of another length
 */
export function createParameterReader(
  plan: NetworkPlan,
  values: ParameterValues,
): (name: string) => ParameterWithValues {
  const descriptions = new Map(listParameters(plan).map((description) => [description.name, description]))
  return (name) => {
    const description = descriptions.get(name)
    if (description === undefined) throw new WeightMismatchError(`The plan has no parameter '${name}'.`)
    return { description, data: readParameter(values, description) }
  }
}

/** The values of one parameter. @throws WeightMismatchError when they are missing or of another length */
export function readParameter(values: ParameterValues, { name, shape }: ParameterDescription): Float32Array {
  const data = values.get(name)
  if (data?.length === countElements(shape)) return data
  const found = data === undefined ? 'no' : data.length
  throw new WeightMismatchError(
    `Parameter '${name}' of shape [${shape.join(', ')}] has ${found} values. Take the weights of a network of the same config.`,
  )
}
