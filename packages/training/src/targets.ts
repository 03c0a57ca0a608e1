import { argmaxRows, type ClassScores, InvalidArgumentError, type Tensor } from '@sluice/core'
import type { FeatureStore } from './feature-store.ts'
import type { HeadLoss } from './losses/head-loss.ts'
import { readBlocks } from './row-blocks.ts'

/** What the heads should answer. Row `i` belongs to row `i` of the features. */
export interface HeadTargets {
  /** Class of each row, 0..classes - 1; null where the data have no labels. */
  readonly labels: Int32Array | null
  /** The full network's class scores, `[rows, classes]`; logarithms where it gives probabilities. */
  readonly networkScores: FeatureStore
}

/** @throws InvalidArgumentError when rows are missing, a label is out of range, or the loss needs labels and has none */
export function checkTargets({ labels, networkScores }: HeadTargets, loss: HeadLoss, rows: number): void {
  if (networkScores.rows !== rows || (labels !== null && labels.length !== rows)) {
    throw new InvalidArgumentError(
      `There are ${rows} rows of features, ${networkScores.rows} of network scores and ${labels?.length ?? 'no'} labels; collect them in one pass.`,
    )
  }
  if (labels !== null) checkLabels(labels, networkScores.width, 0)
  else if (loss.target === 'labels') {
    throw new InvalidArgumentError(
      `The loss '${loss.name}' needs labels and the data have none; use 'distillation', which needs none.`,
    )
  }
}

/**
 * @param firstRow row of the first label, for the message
 * @throws InvalidArgumentError naming the first row whose label is no class
 */
export function checkLabels(labels: Int32Array, classCount: number, firstRow: number): void {
  const index = labels.findIndex((label) => !(label >= 0 && label < classCount))
  if (index < 0) return
  throw new InvalidArgumentError(
    `Row ${firstRow + index} has label ${labels[index]}; the network knows the classes 0 to ${classCount - 1}. Check that the data belong to this network.`,
  )
}

/** What a loss compares the scores of rows `start` to `start + rows - 1` with, as the training graph takes it. */
export async function readTargets(targets: HeadTargets, loss: HeadLoss, start: number, rows: number): Promise<Tensor> {
  const { labels, networkScores } = targets
  if (loss.target === 'labels' && labels !== null) {
    return { type: 'int32', dims: [rows], data: labels.subarray(start, start + rows) }
  }
  const data = await networkScores.read(start, rows)
  return { type: 'float32', dims: [rows, networkScores.width], data }
}

/** The classes that count as right for the given rows (ascending): labels, or the network's answers without them. */
export async function readReferenceClasses(targets: HeadTargets, rows: Uint32Array): Promise<Int32Array> {
  const { labels, networkScores } = targets
  if (labels !== null) return Int32Array.from(rows, (row) => labels[row] as number)
  return argmaxRows(await readScores(networkScores, rows))
}

/** The network's scores of the given rows (ascending); the caller owns them. */
export async function readScores(networkScores: FeatureStore, rows: Uint32Array): Promise<ClassScores> {
  const classCount = networkScores.width
  const data = new Float32Array(rows.length * classCount)
  let done = 0
  for await (const block of readBlocks(networkScores, rows)) {
    for (const row of block.rows) {
      data.set(block.data.subarray(row * classCount, (row + 1) * classCount), done)
      done += classCount
    }
  }
  return { data, rows: rows.length, classCount }
}
