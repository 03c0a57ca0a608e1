import type { PoolingDescription } from '@sluice/core'
import type { FloatTensor } from '../../../../tooling/run-onnx.ts'

/** Pooled features row by row, written down from their definition; the oracle of the graphs. */
export function poolNaively({ dims, data }: FloatTensor, pooling: PoolingDescription): number[][] {
  const [rows = 0, ...shape] = dims
  const length = data.length / rows
  return Array.from({ length: rows }, (_, row) =>
    poolRow(data.subarray(row * length, (row + 1) * length), shape, pooling),
  )
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const maximum = (values: readonly number[]) => Math.max(...values)

function poolRow(row: Float32Array, shape: readonly number[], { size, kind }: PoolingDescription): number[] {
  const groups = shape.length === 3 ? windowsOfMap(row, shape, size) : tokenColumns(row, shape)
  if (kind === 'class-token') return groups.map(([first = Number.NaN]) => first)
  const isWhole = groups.every(({ length }) => length === 1)
  return kind === 'average' || isWhole ? groups.map(mean) : [...groups.map(mean), ...groups.map(maximum)]
}

function windowsOfMap(row: Float32Array, [channels = 0, height = 0, width = 0]: readonly number[], size: number) {
  const windows: number[][] = []
  const [n, m] = [Math.min(size, height), Math.min(size, width)]
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const window: number[] = []
        for (let y = Math.floor((i * height) / n); y < Math.ceil(((i + 1) * height) / n); y++) {
          for (let x = Math.floor((j * width) / m); x < Math.ceil(((j + 1) * width) / m); x++) {
            window.push(row[(c * height + y) * width + x] as number)
          }
        }
        windows.push(window)
      }
    }
  }
  return windows
}

function tokenColumns(row: Float32Array, shape: readonly number[]): number[][] {
  const width = shape.at(-1) ?? 0
  return Array.from({ length: width }, (_, column) => [...row].filter((_, i) => i % width === column))
}
