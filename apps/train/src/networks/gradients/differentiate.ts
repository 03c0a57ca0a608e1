import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'

/** A function of tensors with gradients of its own. */
export interface DifferentiableFunction<T extends tf.Tensor, Saved extends readonly tf.Tensor[]> {
  readonly inputs: readonly tf.Tensor[]
  value(): T
  /** What the gradients are made of: inputs, constants or the value itself. */
  save(value: T): readonly [...Saved]
  /** The gradient of every input, given that of the value. */
  gradients(dy: T, saved: Saved): tf.Tensor[]
}

/** Runs a function with its gradients on TensorFlow's tape: `tf.customGrad`, typed. */
export function differentiate<T extends tf.Tensor, Saved extends readonly tf.Tensor[]>(
  tf: Tfjs,
  { inputs, value, save, gradients }: DifferentiableFunction<T, Saved>,
): T {
  const operation = tf.customGrad<T>((...tensorsAndSave) => {
    const keep = tensorsAndSave.at(-1) as tf.GradSaveFunc
    const result = value()
    keep([...save(result)])
    // TensorFlow.js would keep what is made on the way until the whole backward pass is done.
    const gradFunc = (dy: T, saved: tf.Tensor[]) => tf.tidy(() => gradients(dy, saved as unknown as Saved))
    return { value: result, gradFunc }
  })
  return operation(...inputs)
}
