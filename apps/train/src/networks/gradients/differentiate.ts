import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'

/** A function with a gradient of its own. */
export interface DifferentiableFunction<
  T extends tf.Tensor,
  Inputs extends readonly tf.Tensor[],
  Constants extends readonly tf.Tensor[],
> {
  readonly inputs: readonly [...Inputs]
  /** Tensors that the gradients need besides the inputs, and that get none. */
  readonly constants: readonly [...Constants]
  value(): T
  /** The gradient of every input, given that of the value, the inputs and the constants. */
  gradients(dy: T, saved: readonly [...Inputs, ...Constants]): tf.Tensor[]
}

/** Runs a function with its gradients on TensorFlow's tape: `tf.customGrad`, typed. */
export function differentiate<
  T extends tf.Tensor,
  Inputs extends readonly tf.Tensor[],
  Constants extends readonly tf.Tensor[],
>(tf: Tfjs, { inputs, constants, value, gradients }: DifferentiableFunction<T, Inputs, Constants>): T {
  const operation = tf.customGrad<T>((...tensorsAndSave) => {
    const save = tensorsAndSave.at(-1) as tf.GradSaveFunc
    save([...inputs, ...constants])
    const gradFunc = (dy: T, saved: tf.Tensor[]) => {
      // TensorFlow.js would keep what is made on the way until the whole backward pass is done.
      return tf.tidy(() => gradients(dy, saved as unknown as readonly [...Inputs, ...Constants]))
    }
    return { value: value(), gradFunc }
  })
  return operation(...inputs)
}
