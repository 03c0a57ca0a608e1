import { type ClassScores, ShapeMismatchError } from '@sluice/core'
import type { FeatureRows } from './feature-store.ts'

/**
 * Features with a row's class scores behind them, as a head in cascade takes them. Nothing is copied until it is read.
 * @throws ShapeMismatchError unless both have the same rows
 */
export function appendScores(features: FeatureRows, { data, rows, classCount }: ClassScores): FeatureRows {
  if (rows !== features.rows) throw new ShapeMismatchError('The class scores', [rows], [features.rows])
  const { width, blockRows, map } = features
  const joinedWidth = width + classCount
  let joined = new Float32Array(0)
  return {
    width: joinedWidth,
    rows,
    blockRows,
    map,
    async read(start, count) {
      const values = await features.read(start, count)
      if (joined.length < count * joinedWidth) joined = new Float32Array(count * joinedWidth)
      for (let row = 0; row < count; row++) {
        const offset = row * joinedWidth
        joined.set(values.subarray(row * width, (row + 1) * width), offset)
        joined.set(data.subarray((start + row) * classCount, (start + row + 1) * classCount), offset + width)
      }
      return joined.subarray(0, count * joinedWidth)
    },
  }
}
