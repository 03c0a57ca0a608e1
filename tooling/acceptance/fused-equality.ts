import { createOnnxEngine, createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { createBundlePolicy, exportGatedNetwork, inputBatches } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { createGatedModel, type Predictions, type Tensor } from '@sluice/core'
import { openDataset } from '@sluice/datasets/node'
import { fusedOutputs, writeOnnxModel } from '@sluice/onnx-graph'
import { findLargestDifference } from './score-difference.ts'
import { type AcceptanceRow, atMost } from './table.ts'

const batchSizes = [1, 7, 64]

type Answers = Pick<Predictions, 'scores' | 'exits'>

/** How far answers are from those that the runner gives from stage to stage. */
interface Difference {
  readonly name: string
  readonly answer: (images: Tensor<'float32'>) => Promise<Answers>
  otherExits: number
  largest: number
}

/**
 * Runs the bundle from stage to stage, with gates that the engine decides, and as one ONNX file, and compares every exit
 * and every score.
 */
export async function checkFusedEquality(path: string, data: string): Promise<AcceptanceRow[]> {
  const bundle = await openBundleFolder(path)
  const { input } = bundle.manifest
  const { model } = await exportGatedNetwork(bundle)
  const policy = createBundlePolicy(bundle.manifest)
  const staged = await createOnnxRuntimeBackend().load(bundle)
  const byRunner = createGatedModel({ model: staged, policy: { ...policy, expression: undefined } })
  const byEngine = createGatedModel({ model: staged, policy })
  const file = await createOnnxEngine().createSession(writeOnnxModel(model))
  const runFile = async (images: Tensor<'float32'>): Promise<Answers> => {
    const { [fusedOutputs.exit]: exit, [fusedOutputs.scores]: scores } = await file.run({ [input.name]: images })
    const [rows = 0, classCount = 0] = scores?.dims ?? []
    return {
      exits: Uint32Array.from(exit?.data as BigInt64Array, Number),
      scores: { data: scores?.data as Float32Array, rows, classCount },
    }
  }
  const compared: Difference[] = [
    { name: 'decided by the engine', answer: (images) => byEngine.predict(images), otherExits: 0, largest: 0 },
    { name: 'exported as one file', answer: runFile, otherExits: 0, largest: 0 },
  ]
  const dataset = await openDataset(data)
  for (const size of batchSizes) {
    for await (const { images } of inputBatches(dataset, input, size)) {
      const expected = await byRunner.predict(images)
      for (const difference of compared) addDifference(difference, expected, await difference.answer(images))
    }
  }
  await staged.dispose()
  await file.release()
  return compared.flatMap(({ name, otherExits, largest }) => {
    const what = `${name}, ${dataset.size} test images at batch ${batchSizes.join(', ')}`
    return [
      atMost(`${what}: rows with another exit than in stages`, otherExits, 0, 'checked'),
      atMost(`${what}: largest score difference`, largest, 1e-5, 'checked'),
    ]
  })
}

function addDifference(difference: Difference, expected: Answers, { exits, scores }: Answers): void {
  for (const [row, exit] of expected.exits.entries()) if (exits[row] !== exit) difference.otherExits++
  difference.largest = Math.max(difference.largest, findLargestDifference(scores.data, expected.scores.data))
}
