/**
 * Checks that 10,000 batches do not grow the process: runs them through a network of three stages, selecting rows at
 * each gate, and compares the resident set after 10,000 batches with the one after 2,000. Needs `--expose-gc`.
 *
 * `--leak` keeps every activation, to show that the check can fail.
 */
import { createGatedModel } from '@sluice/core'
import { createRandomBatch, createRandomReferenceNetwork, createScriptedPolicy } from '@sluice/core/reference'
import { createOnnxRuntimeBackend } from '../src/node.ts'
import { createReferenceOnnxBundle } from '../src/testing/reference-bundle.ts'

const warmUpBatches = 2_000
const batches = 10_000
/** Runs differ by 1 to 5 MB; one leaked activation a batch is 60 MB. */
const allowedGrowthMb = 16

const network = createRandomReferenceNetwork({ seed: 1, inputShape: [64], cutWidths: [256, 128], classCount: 10 })
const model = await createOnnxRuntimeBackend({ threads: 1 }).load(createReferenceOnnxBundle(network))
const leaked: unknown[] = []

let warmMb = 0
for (let index = 0; index < batches; index++) {
  await runBatch(index)
  if (index + 1 === warmUpBatches) warmMb = measureResidentMb()
}
const grownMb = measureResidentMb() - warmMb
const isFlat = grownMb <= allowedGrowthMb && model.liveHandles === leaked.length
await model.dispose()

console.log(
  `${isFlat ? 'flat' : 'GROWS'}: ${warmMb.toFixed(1)} MB after ${warmUpBatches} batches, ${grownMb.toFixed(1)} MB more after ${batches} (allowed ${allowedGrowthMb})`,
)
process.exitCode = isFlat ? 0 : 1

/** One to eight rows; every third row leaves at each gate, so that rows are copied. */
async function runBatch(index: number): Promise<void> {
  const rows = 1 + (index % 8)
  const batch = createRandomBatch(index, rows, network.inputShape)
  const exits = Array.from({ length: rows }, (_, row) => row % 3)
  await createGatedModel({ model, policy: createScriptedPolicy(exits) }).predict(batch)
  if (process.argv.includes('--leak')) leaked.push(await model.upload(batch))
}

function measureResidentMb(): number {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run node with --expose-gc')
  gc()
  gc()
  return process.memoryUsage().rss / 2 ** 20
}
