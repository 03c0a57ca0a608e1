import type { Tfjs } from '@sluice/adapter-tfjs'
import { InvalidArgumentError } from '@sluice/core'
import { batches, type Dataset, normalise, type Preprocessing } from '@sluice/datasets'
import type { MultiExitNetwork } from './multi-exit-network.ts'
import { countRight } from './train-step.ts'

/** What the exits are judged on. */
export interface JudgeOptions {
  readonly dataset: Dataset
  readonly batch: number
  /** Layout NHWC. */
  readonly input: Preprocessing
  /** Called before each batch; may throw to end the work. */
  readonly checkpoint: () => Promise<void>
}

/** Accuracy of each exit, the network's end last, 0..1, with the moving statistics. */
export async function judgeExits(
  tf: Tfjs,
  network: MultiExitNetwork,
  { dataset, batch, input, checkpoint }: JudgeOptions,
): Promise<number[]> {
  const right = new Array<number>(network.heads.length + 1).fill(0)
  const [height = 1, width = 1, channels = 1] = input.shape
  for await (const { images, labels, rows } of batches(dataset, batch)) {
    if (labels === null) throw new InvalidArgumentError(`${dataset.name} has no labels; test on data with labels.`)
    await checkpoint()
    const answers = tf.tidy(() => {
      const scores = network.forward(tf.tensor4d(normalise(images, input), [rows, height, width, channels]), false)
      return scores.map((exit) => exit.argMax(1))
    })
    for (const [exit, answer] of answers.entries()) {
      right[exit] = (right[exit] ?? 0) + countRight(labels, await answer.data())
    }
    tf.dispose(answers)
  }
  return right.map((count) => count / dataset.size)
}
