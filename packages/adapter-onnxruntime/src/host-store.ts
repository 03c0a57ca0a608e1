import { countElements } from '@sluice/core'
import type { Tensor } from 'onnxruntime-common'
import { type ActivationBlock, createActivationBlock } from './activation-block.ts'
import type { ActivationStore } from './activation-store.ts'
import { createBufferPool } from './buffer-pool.ts'
import type { OrtRuntime } from './ort-runtime.ts'

/**
 * Activations in host memory, in arrays that are reused.
 *
 * @param reserveOutputs whether sessions write straight into these arrays: onnxruntime-node does, and saves page
 * faults; the WebAssembly build would copy them into its heap and back
 */
export function createHostStore({ Tensor }: OrtRuntime, reserveOutputs: boolean): ActivationStore {
  const pool = createBufferPool()
  const allocate = (dims: readonly number[]): ActivationBlock => {
    const data = pool.take(countElements(dims))
    return createActivationBlock(new Tensor('float32', data, dims), () => pool.give(data))
  }
  return {
    locateOutputs: () => ({}),
    upload: (data, dims) => createActivationBlock(new Tensor('float32', data, dims), () => {}),
    reserve: reserveOutputs ? allocate : () => null,
    adopt: (tensor) => createActivationBlock(tensor, () => tensor.dispose()),
    async select(block, rows) {
      const { rowShape, rowLength, data } = describeRows(block.tensor)
      const dims = [rows.length, ...rowShape]
      const [first = 0] = rows
      if (isRun(rows)) {
        const range = data.subarray(first * rowLength, (first + rows.length) * rowLength)
        return block.share(new Tensor('float32', range, dims))
      }
      const selected = allocate(dims)
      copyRows(data, floatsOf(selected.tensor), rows, rowLength)
      return selected
    },
    release: async () => {},
  }
}

function floatsOf(tensor: Tensor): Float32Array {
  return tensor.data as Float32Array
}

function describeRows(tensor: Tensor) {
  const [, ...rowShape] = tensor.dims
  return { rowShape, rowLength: countElements(rowShape), data: floatsOf(tensor) }
}

/** Whether each row follows the one before it, so that together they are one range. */
function isRun(rows: Uint32Array): boolean {
  return endOfRun(rows, 0) === rows.length
}

/** Position after the longest run of consecutive row numbers that begins at `start`. */
function endOfRun(rows: Uint32Array, start: number): number {
  let end = start + 1
  while (end < rows.length && rows[end] === (rows[end - 1] as number) + 1) end++
  return end
}

/** Copies each run of consecutive rows at once: far faster than row by row where few rows left. */
function copyRows(source: Float32Array, target: Float32Array, rows: Uint32Array, rowLength: number): void {
  for (let start = 0; start < rows.length; ) {
    const end = endOfRun(rows, start)
    const first = (rows[start] as number) * rowLength
    target.set(source.subarray(first, first + (end - start) * rowLength), start * rowLength)
    start = end
  }
}
