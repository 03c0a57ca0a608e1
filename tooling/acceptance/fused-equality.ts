import { createOnnxEngine, createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { createBundlePolicy, exportGatedNetwork, inputBatches } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { createGatedModel } from '@sluice/core'
import { openDataset } from '@sluice/datasets/node'
import { fusedOutputs, writeOnnxModel } from '@sluice/onnx-graph'
import { type AcceptanceRow, atMost } from './table.ts'

const batchSizes = [1, 7, 64]

/** Runs the bundle as one ONNX file beside the runner, and compares every exit and every score. */
export async function checkFusedEquality(path: string, data: string): Promise<AcceptanceRow[]> {
  const bundle = await openBundleFolder(path)
  const { model } = await exportGatedNetwork(bundle)
  const staged = await createOnnxRuntimeBackend().load(bundle)
  const gated = createGatedModel({ model: staged, policy: createBundlePolicy(bundle.manifest) })
  const fused = await createOnnxEngine().createSession(writeOnnxModel(model))
  const dataset = await openDataset(data)
  let [largest, otherExits, rows] = [0, 0, 0]
  for (const size of batchSizes) {
    for await (const { images } of inputBatches(dataset, bundle.manifest.input, size)) {
      const expected = await gated.predict(images)
      const answer = await fused.run({ [bundle.manifest.input.name]: images })
      const exits = answer[fusedOutputs.exit]?.data as BigInt64Array
      const scores = answer[fusedOutputs.scores]?.data as Float32Array
      for (const [row, exit] of expected.exits.entries()) {
        if (Number(exits[row]) !== exit) otherExits++
      }
      for (const [index, value] of expected.scores.data.entries()) {
        const difference = Math.abs((scores[index] ?? Number.NaN) - value) / Math.max(1, Math.abs(value))
        largest = Math.max(largest, difference)
      }
      rows += expected.exits.length
    }
  }
  await staged.dispose()
  await fused.release()
  const what = `exported as one file, ${rows / batchSizes.length} test images at batch ${batchSizes.join(', ')}`
  return [
    atMost(`${what}: rows with another exit than in stages`, otherExits, 0, 'checked'),
    atMost(`${what}: largest score difference`, largest, 1e-5, 'checked'),
  ]
}
