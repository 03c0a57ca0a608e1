import type { Tfjs } from '@sluice/adapter-tfjs'
import type { NamedTensorMap, Scalar, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs'
import type { MultiExitNetwork } from './multi-exit-network.ts'
import type { TrainingBatch } from './training-batches.ts'

/** What the exits came to on a batch, before the step that follows from it. */
export interface BatchOutcome {
  /** Mean loss of each exit, the network's end last. */
  readonly losses: readonly number[]
  /** How many rows each exit has right. */
  readonly right: readonly number[]
  /** By the variables' own names; the caller disposes them. */
  readonly gradients: NamedTensorMap
}

/** What is minimised. */
export interface StepOptions {
  /** Shape of an image, `[height, width, channels]`. */
  readonly input: readonly [number, number, number]
  readonly classes: number
  readonly labelSmoothing: number
  /** Of the exits' losses. */
  readonly weights: readonly number[]
}

/** Runs the network forward and backward on one batch; parameters stay, moving statistics take the batch in. */
export async function computeGradients(
  tf: Tfjs,
  network: MultiExitNetwork,
  { images, labels }: TrainingBatch,
  { input, classes, labelSmoothing, weights }: StepOptions,
): Promise<BatchOutcome> {
  const rows = labels.length
  const batch = tf.tensor4d(images, [rows, ...input])
  const targets = tf.tensor2d(smoothLabels(labels, classes, labelSmoothing), [rows, classes])
  const kept: { losses?: Tensor1D; answers?: Tensor2D } = {}
  const { value, grads } = tf.variableGrads(
    () => {
      const scores = network.forward(batch, true)
      const losses = scores.map((exit) => crossEntropy(tf, exit, targets))
      kept.losses = tf.keep(tf.stack(losses) as Tensor1D)
      kept.answers = tf.keep(tf.stack(scores.map((exit) => exit.argMax(1))) as Tensor2D)
      return tf.addN(losses.map((loss, exit) => loss.mul<Scalar>(weights[exit] ?? 1)))
    },
    network.parameters.map(({ variable }): Variable => variable),
  )
  const losses = [...((await kept.losses?.data()) ?? [])]
  const answers = (await kept.answers?.data<'int32'>()) ?? new Int32Array()
  tf.dispose([batch, targets, value, kept.losses, kept.answers].filter((tensor) => tensor !== undefined))
  const right = losses.map((_, exit) => countRight(labels, answers.subarray(exit * rows, (exit + 1) * rows)))
  return { losses, right, gradients: grads }
}

/** Mean over the rows of `-sum_c target_c log softmax(scores)_c`. */
function crossEntropy(tf: Tfjs, scores: Tensor2D, targets: Tensor2D): Scalar {
  return tf.logSoftmax(scores).mul(targets).sum().div<Scalar>(-scores.shape[0])
}

/** One-hot targets with `smoothing` spread over all classes, `[rows, classes]`. */
function smoothLabels(labels: Int32Array, classes: number, smoothing: number): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(smoothing / classes)
  for (const [row, label] of labels.entries()) {
    const index = row * classes + label
    targets[index] = (targets[index] ?? 0) + 1 - smoothing
  }
  return targets
}

/** How many answers are the row's label. */
export function countRight(labels: Int32Array, answers: ArrayLike<number>): number {
  return labels.reduce((sum, label, row) => sum + (answers[row] === label ? 1 : 0), 0)
}
