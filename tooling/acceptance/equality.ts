import { createOnnxEngine, createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { loadOnnxNetwork } from '@sluice/app-bench'
import { inputBatches } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { createGatedModel, createThresholdPolicy } from '@sluice/core'
import { openDataset } from '@sluice/datasets/node'
import { readOnnxFile } from '@sluice/onnx-graph/node'
import { findLargestDifference } from './score-difference.ts'
import { type AcceptanceRow, atMost } from './table.ts'

/** What is compared: a bundle, the file that it was made from, and data. */
export interface EqualityCheck {
  readonly bundle: string
  readonly model: string
  readonly data: string
}

/** Runs the bundle with thresholds at infinity beside the network's own file, and compares every score. */
export async function checkEquality({ bundle: path, model: file, data }: EqualityCheck): Promise<AcceptanceRow[]> {
  const bundle = await openBundleFolder(path)
  const staged = await createOnnxRuntimeBackend().load(bundle)
  const unsplit = await loadOnnxNetwork(createOnnxEngine(), await readOnnxFile(file))
  const policy = createThresholdPolicy('never', [])
  // Gates that the backend decides itself, and gates that the runner decides.
  const networks = [policy, { ...policy, expression: undefined }].map((each) =>
    createGatedModel({ model: staged, policy: each }),
  )
  const dataset = await openDataset(data)
  let largest = 0
  let rows = 0
  for await (const { images } of inputBatches(dataset, bundle.manifest.input, 100)) {
    const expected = await unsplit.run(images)
    for (const gated of networks) {
      const { scores } = await gated.predict(images)
      largest = Math.max(largest, findLargestDifference(scores.data, expected.data))
    }
    rows += expected.rows
  }
  await staged.dispose()
  await unsplit.release()
  return [atMost(`thresholds at infinity: largest score difference, ${rows} test images`, largest, 1e-4, 'checked')]
}
