/** What an epoch came to. */
export interface EpochMetrics {
  /** Counted from 1. */
  readonly epoch: number
  /** Mean loss of the training steps, summed over the exits with their weights. */
  readonly loss: number
  /** Accuracy of each exit on the training batches as they came, the network's end last, 0..1. */
  readonly trainAccuracies: readonly number[]
  /** Accuracy on the test data of each exit, the network's end last, 0..1; null without test data. */
  readonly testAccuracies: readonly number[] | null
  /** Learning rate of the last step. */
  readonly learningRate: number
  readonly seconds: number
}

/**
 * The metrics as comma-separated values with a line of names.
 * @param exits names of the exits, the network's end last
 */
export function formatMetricsCsv(metrics: readonly EpochMetrics[], exits: readonly string[]): string {
  const head = [
    'epoch',
    'loss',
    ...exits.map((exit) => `train_accuracy_${exit}`),
    ...exits.map((exit) => `test_accuracy_${exit}`),
  ]
  const lines = metrics.map((row) => [
    row.epoch,
    row.loss,
    ...row.trainAccuracies,
    ...exits.map((_, exit) => row.testAccuracies?.[exit] ?? ''),
    row.learningRate,
    row.seconds.toFixed(1),
  ])
  return `${[[...head, 'learning_rate', 'seconds'], ...lines].map((line) => line.join(',')).join('\n')}\n`
}
