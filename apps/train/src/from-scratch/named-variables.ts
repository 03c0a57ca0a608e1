import type { Tfjs } from '@sluice/adapter-tfjs'
import type { Variable } from '@tensorflow/tfjs'
import { CheckpointError } from './errors.ts'

/** A variable under the name by which files know it. */
export interface NamedVariable {
  readonly name: string
  readonly variable: Variable
}

/** A trained variable. */
export interface TrainedVariable extends NamedVariable {
  /** Whether weight decay applies. */
  readonly decays: boolean
}

/** Copies of all values by name. */
export async function readVariables(variables: readonly NamedVariable[]): Promise<Map<string, Float32Array>> {
  const values = await Promise.all(variables.map(({ variable }) => variable.data<'float32'>()))
  return new Map(variables.map(({ name }, index) => [name, (values[index] ?? new Float32Array()).slice()]))
}

/** Sets every variable to the value of its name. @throws CheckpointError when one is missing or of another size */
export function writeVariables(
  tf: Tfjs,
  variables: readonly NamedVariable[],
  values: ReadonlyMap<string, Float32Array>,
): void {
  for (const { name, variable } of variables) {
    const value = values.get(name)
    if (value?.length !== variable.size) {
      throw new CheckpointError(`it holds ${value?.length ?? 'no'} values for '${name}', which has ${variable.size}.`)
    }
    tf.tidy(() => variable.assign(tf.tensor(value, variable.shape)))
  }
}
