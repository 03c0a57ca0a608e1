import type { Tfjs } from '@sluice/adapter-tfjs'
import type { NamedTensorMap, Variable } from '@tensorflow/tfjs'
import type { NamedVariable, TrainedVariable } from './named-variables.ts'

/** How steps follow gradients. */
export interface SgdOptions {
  /** `0 <= momentum < 1`. */
  readonly momentum: number
  /** Added to the gradient as a multiple of the parameter, where it decays. */
  readonly weightDecay: number
}

/** Updates parameters in place. */
export interface Sgd {
  /** One step. `gradients` by the variables' own names; they stay the caller's. */
  step(gradients: NamedTensorMap, learningRate: number): void
  /** The velocities, for checkpoints. */
  readonly state: readonly NamedVariable[]
  dispose(): void
}

/**
 * Gradient descent with Nesterov momentum, `v = momentum v + g; p = p - rate (g + momentum v)`: Sutskever et al. 2013,
 * equations 3 and 4, in the form that takes the gradient at the parameters themselves.
 */
export function createSgd(
  tf: Tfjs,
  parameters: readonly TrainedVariable[],
  { momentum, weightDecay }: SgdOptions,
): Sgd {
  const velocities = parameters.map(({ variable }) => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false)))
  return {
    step(gradients, learningRate) {
      for (const [index, { variable, decays }] of parameters.entries()) {
        const velocity = velocities[index] as Variable
        const gradient = gradients[variable.name]
        if (gradient === undefined) continue
        tf.tidy(() => {
          const g = decays && weightDecay > 0 ? gradient.add(variable.mul(weightDecay)) : gradient
          velocity.assign(velocity.mul(momentum).add(g))
          variable.assign(variable.sub(g.add(velocity.mul(momentum)).mul(learningRate)))
        })
      }
    },
    state: parameters.map(({ name }, index) => ({ name: `velocity/${name}`, variable: velocities[index] as Variable })),
    dispose() {
      for (const velocity of velocities) velocity.dispose()
    },
  }
}
