import { type Bundle, type BundleManifest, countElements, type StageDescription } from '@sluice/core'
import { expect, test } from 'vitest'
import { type FloatTensor, runOnnx } from '../../../tooling/run-onnx.ts'
import { findCuts, selectGateCuts } from './cuts.ts'
import { addHead, gateScoresName } from './head-graph.ts'
import { writeOnnxModel } from './onnx-model.ts'
import { countPooledFeatures } from './pooling.ts'
import { removeIdleGates } from './remove-idle-gates.ts'
import { splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

const pooling = { size: 1, kind: 'average' } as const

/**
 * A test network in four stages with three linear gates, as a bundle in memory. In a cascade every head but the first takes
 * the scores of the gate in front.
 */
function createGatedBundle(thresholds: readonly (number | null)[], { cascade = false } = {}) {
  const network = createTestNetworks().find(({ name }) => name === 'residual')
  if (network === undefined) throw new Error('The test network is missing.')
  const cuts = selectGateCuts(findCuts(network.model)).slice(0, 3)
  const files = new Map<string, Uint8Array>()
  const stages = splitIntoStages(
    network.model,
    cuts.map(({ tensor }) => tensor),
  ).map(({ model, input, output }, index) => {
    const takesScores = cascade && index > 0 && output !== null
    const features = output === null ? 0 : countPooledFeatures(cuts[index]?.shape ?? [], pooling)
    const inputs = features + (takesScores ? 3 : 0)
    const layer = {
      inputs,
      outputs: 3,
      activation: 'none' as const,
      weights: seededValues(3 * inputs, index),
      bias: new Float32Array(3),
    }
    const stage = output === null ? model : addHead(model, output, { pooling, layers: [layer], takesScores }, index)
    const file = `stage-${index}.onnx`
    files.set(file, writeOnnxModel(stage))
    const scores = output === null ? (model.graph.output[0]?.name ?? '') : gateScoresName(index)
    return {
      file,
      macs: { backbone: 10 + index, head: output === null ? 0 : 1 },
      input,
      output,
      outputShape: null,
      scores,
      ...(takesScores ? { scoresInput: gateScoresName(index - 1) } : {}),
    }
  })
  const gates = thresholds.map((threshold, stage) => ({
    stage,
    policy: { name: 'softmax', parameters: {}, threshold },
  }))
  const manifest = { format: 'onnx', stages, gates } as unknown as BundleManifest
  const read = async (path: string) => files.get(path) ?? new Uint8Array()
  const dims = [2, ...network.inputShape]
  return { bundle: { manifest, read }, input: { dims, data: seededValues(countElements(dims), 7) } }
}

/** Runs all stages in a row; class scores by the name of their output. */
async function runStages({ manifest, read }: Bundle, input: FloatTensor) {
  const scores: Record<string, FloatTensor | undefined> = {}
  let activation: FloatTensor | undefined = input
  for (const stage of manifest.stages satisfies readonly StageDescription[]) {
    if (activation === undefined) throw new Error(`Stage ${stage.file} gets no activation.`)
    const earlier = scores[stage.scoresInput ?? '']
    const outputs: Awaited<ReturnType<typeof runOnnx>> = await runOnnx(await read(stage.file), {
      [stage.input]: activation,
      ...(stage.scoresInput !== undefined && earlier !== undefined ? { [stage.scoresInput]: earlier } : {}),
    })
    scores[stage.scores] = outputs[stage.scores]
    activation = stage.output === null ? undefined : outputs[stage.output]
  }
  return scores
}

test('stages around a gate that is off are joined, and the others answer as before', async () => {
  const { bundle: source, input } = createGatedBundle([null, 0.5, null])
  const { bundle, sourceStages } = await removeIdleGates(source)
  expect(sourceStages).toEqual([1, 3])
  expect(bundle.manifest.stages.map(({ macs }) => macs)).toEqual([
    { backbone: 21, head: 1 },
    { backbone: 25, head: 0 },
  ])
  expect(bundle.manifest.gates).toEqual([{ ...source.manifest.gates[1], stage: 0 }])
  const [actual, expected] = [await runStages(bundle, input), await runStages(source, input)]
  expect(Object.keys(actual)).toHaveLength(2)
  for (const [name, scores] of Object.entries(actual)) expectClose(scores, expected[name])
})

test.each([
  ['in front of one that may fire stay', [null, null, 0.5], [0, 1, 2, 3]],
  ['behind the last that may fire are removed', [null, 0.5, null], [0, 1, 3]],
  ['behind the first are removed, and the plain stages joined', [0.5, null, null], [0, 3]],
])('in a cascade, gates that are off %s', async (_, thresholds, expectedStages) => {
  const { bundle: source, input } = createGatedBundle(thresholds, { cascade: true })
  const { bundle, sourceStages } = await removeIdleGates(source)
  expect(sourceStages).toEqual(expectedStages)
  expect(bundle.manifest.gates.map(({ policy }) => policy.threshold)).toEqual(
    expectedStages.slice(0, -1).map((stage) => thresholds[stage]),
  )
  const [actual, expected] = [await runStages(bundle, input), await runStages(source, input)]
  expect(Object.keys(actual)).toHaveLength(expectedStages.length)
  for (const [name, scores] of Object.entries(actual)) expectClose(scores, expected[name])
})

test('a bundle whose gates may all fire keeps its files', async () => {
  const { bundle: source } = createGatedBundle([0.1, 0.2, 0.3])
  const { bundle, sourceStages } = await removeIdleGates(source)
  expect(sourceStages).toEqual([0, 1, 2, 3])
  expect(bundle.manifest).toEqual(source.manifest)
  expect(await bundle.read('stage-1.onnx')).toBe(await source.read('stage-1.onnx'))
})

test('a bundle whose gates are all off becomes the plain network', async () => {
  const { bundle: source, input } = createGatedBundle([null, null, null])
  const { bundle } = await removeIdleGates(source)
  expect(bundle.manifest.stages).toHaveLength(1)
  const [[name = '', scores] = []] = Object.entries(await runStages(bundle, input))
  expectClose(scores, (await runStages(source, input))[name])
})

test('pieces of one file are joined by their description, and files of another format not at all', async () => {
  const { bundle: source } = createGatedBundle([null, 0.5, null])
  const oneFile = source.manifest.stages.map((stage) => ({ ...stage, file: 'model.json' }))
  const manifest = { ...source.manifest, format: 'tfjs-layers', stages: oneFile } as const
  const file = Uint8Array.of(1, 2, 3)
  const { bundle } = await removeIdleGates({ manifest, read: async () => file })
  const [, second, , last] = oneFile
  expect(bundle.manifest.stages).toEqual([
    { ...second, input: oneFile[0]?.input, macs: { backbone: 21, head: 1 } },
    { ...last, input: oneFile[2]?.input, macs: { backbone: 25, head: 0 } },
  ])
  expect(await bundle.read('model.json')).toBe(file)
  const apart = removeIdleGates({ ...source, manifest: { ...source.manifest, format: 'reference' } })
  await expect(apart).rejects.toThrow('its format is reference; only files in ONNX can be joined')
})
