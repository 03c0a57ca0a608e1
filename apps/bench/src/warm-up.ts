import { countElements, type GatedModel, type Tensor } from '@sluice/core'

const runs = 1000
const limitMs = 1000
const rowsPerRun = 4

/**
 * Runs a few rows again and again before anything is timed, for a second at most: the JavaScript engine compiles the
 * runner only after some hundred calls, and a service has long passed them.
 *
 * @param batch at least one row, as the network takes it
 */
export async function warmUp(network: GatedModel, batch: Tensor<'float32'>, signal?: AbortSignal): Promise<void> {
  const [size = 0, ...shape] = batch.dims
  const rows = Math.min(size, rowsPerRun)
  const data = batch.data.subarray(0, rows * countElements(shape))
  const few: Tensor<'float32'> = { ...batch, dims: [rows, ...shape], data }
  const endMs = performance.now() + limitMs
  for (let run = 0; run < runs && performance.now() < endMs; run++) await network.predict(few, { signal })
}
