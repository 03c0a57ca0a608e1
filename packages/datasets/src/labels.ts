import { ClassCountMismatchError, DatasetError } from './errors.ts'

/** @throws DatasetError naming the first sample whose label is not in 0..classCount - 1 */
export function checkLabels(name: string, labels: Int32Array, classCount: number): void {
  const row = labels.findIndex((label) => label < 0 || label >= classCount)
  if (row === -1) return
  throw new DatasetError(
    `${name} labels sample ${row} with ${labels[row]}, outside 0..${classCount - 1}; correct the labels or the list of classes.`,
  )
}

/**
 * Class names for data that have numbers only: the given ones, else `0` up to the highest label.
 * @throws DatasetError for a label below 0 or, with given names, at or above their number
 */
export function nameClasses(name: string, labels: Int32Array, classes?: readonly string[]): readonly string[] {
  const highest = labels.reduce((highest, label) => Math.max(highest, label), -1)
  const names = classes ?? Array.from({ length: highest + 1 }, (_, label) => String(label))
  checkLabels(name, labels, names.length)
  return names
}

/** @throws ClassCountMismatchError when the network's classes are given and are more or fewer than the data's */
export function checkClassCount(name: string, classes: readonly string[], network?: readonly string[]): void {
  if (network === undefined || network.length === classes.length) return
  throw new ClassCountMismatchError(name, classes.length, network.length)
}
