import type { Tensor } from '@tensorflow/tfjs'
import type { Tfjs } from './tfjs.ts'

/**
 * The given rows of a tensor, in that order; the caller owns the result. All rows in order share memory.
 *
 * Backends whose memory is the host's copy there: their `gather` computes an index for every element. 32 of 64 rows of
 * 32x32x16 took 0.7 ms instead of 20 ms on wasm, 1.3 ms instead of 92 ms on cpu.
 */
export function selectRows(tf: Tfjs, tensor: Tensor, rows: Uint32Array): Tensor {
  if (rows.length === tensor.shape[0] && rows.every((row, position) => row === position)) return tensor.clone()
  if (hostBackends.includes(tf.getBackend())) return copyRows(tf, tensor, rows)
  return tf.tidy(() => tf.gather(tensor, tf.tensor1d(Int32Array.from(rows), 'int32')))
}

const hostBackends: readonly string[] = ['cpu', 'wasm']

function copyRows(tf: Tfjs, tensor: Tensor, rows: Uint32Array): Tensor {
  const values = tensor.dataSync<'float32'>()
  const rowLength = values.length / (tensor.shape[0] as number)
  const selected = new Float32Array(rows.length * rowLength)
  rows.forEach((row, position) => {
    selected.set(values.subarray(row * rowLength, (row + 1) * rowLength), position * rowLength)
  })
  return tf.tensor(selected, [rows.length, ...tensor.shape.slice(1)], 'float32')
}
