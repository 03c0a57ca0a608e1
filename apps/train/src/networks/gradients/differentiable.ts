import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'

/** A function of tensors and its gradients. */
export interface DifferentiableFunction<T extends tf.Tensor, Inputs extends readonly tf.Tensor[]> {
  value(): T
  /** The gradient of every input, given that of the value and the inputs as they were. */
  gradients(dy: T, inputs: Inputs): tf.Tensor[]
}

/** Runs `value` with the given gradients on TensorFlow's tape: `tf.customGrad`, typed. */
export function differentiable<T extends tf.Tensor, Inputs extends readonly tf.Tensor[]>(
  tf: Tfjs,
  inputs: readonly [...Inputs],
  { value, gradients }: DifferentiableFunction<T, Inputs>,
): T {
  const operation = tf.customGrad<T>((...tensorsAndSave) => {
    const save = tensorsAndSave.at(-1) as tf.GradSaveFunc
    save([...inputs])
    return { value: value(), gradFunc: (dy, saved) => gradients(dy, saved as unknown as Inputs) }
  })
  return operation(...inputs)
}
