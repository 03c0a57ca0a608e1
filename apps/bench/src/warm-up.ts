import type { GatedModel, Tensor } from '@sluice/core'

const runs = 1000
const limitMs = 1000
const rowsPerRun = 4

/**
 * Runs a few rows again and again before anything is timed, for a second at most: the JavaScript engine compiles the
 * runner only after some hundred calls, and a service has long passed them.
 *
 * @param batch at least one row, as the network takes it
 */
export async function warmUp(network: GatedModel, batch: Tensor<'float32'>): Promise<void> {
  const rows = Math.min(batch.dims[0] ?? 0, rowsPerRun)
  const [, ...shape] = batch.dims
  const rowLength = batch.data.length / (batch.dims[0] ?? 1)
  const few: Tensor<'float32'> = { ...batch, dims: [rows, ...shape], data: batch.data.subarray(0, rows * rowLength) }
  const endMs = performance.now() + limitMs
  for (let run = 0; run < runs && performance.now() < endMs; run++) await network.predict(few)
}
