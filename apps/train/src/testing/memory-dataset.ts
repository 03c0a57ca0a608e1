import type { Dataset } from '@sluice/datasets'

/** Samples in memory as a dataset; `labels` null makes them unlabelled. */
export function createMemoryDataset(
  images: Float32Array,
  sampleShape: readonly number[],
  labels: Int32Array | null,
  classCount: number,
): Dataset {
  const length = sampleShape.reduce((product, size) => product * size, 1)
  return {
    name: 'memory',
    size: images.length / length,
    classes: labels === null ? [] : Array.from({ length: classCount }, (_, index) => `class ${index}`),
    sampleShape,
    read: async (indices) => {
      const rows = new Float32Array(indices.length * length)
      Array.from(indices).forEach((index, row) => {
        rows.set(images.subarray(index * length, (index + 1) * length), row * length)
      })
      const rowLabels = labels && Int32Array.from(indices, (index) => labels[index] ?? 0)
      return { images: rows, labels: rowLabels, rows: indices.length }
    },
  }
}
