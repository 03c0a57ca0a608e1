import {
  type Bundle,
  type BundleManifest,
  DisposedError,
  InvalidArgumentError,
  ShapeMismatchError,
  UnsupportedBundleError,
  UnsupportedVersionError,
} from '@sluice/core'
import { computeReferenceScores, createRandomBatch, createRandomReferenceNetwork } from '@sluice/core/reference'
import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import * as ort from 'onnxruntime-node'
import { describe, expect, test, vi } from 'vitest'
import { OnnxRuntimeError } from './errors.ts'
import { createOnnxRuntimeBackend } from './node.ts'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'

const network = createRandomReferenceNetwork({ seed: 2, inputShape: [3], cutWidths: [4, 4], classCount: 2 })
const bundle = createReferenceOnnxBundle(network)
const backend = createOnnxRuntimeBackend({ threads: 1 })
const batch = createRandomBatch(1, 3, [3])

function withManifest(changes: Partial<BundleManifest>): Bundle {
  return { ...bundle, manifest: { ...bundle.manifest, ...changes } }
}

function createUnknownOperator(): Uint8Array {
  const builder = createGraphBuilder({ name: 'unknown' })
  builder.node('NoSuchOperator', [builder.input('x', 'float32', [1])], {}, 'y')
  builder.output('y', 'float32', [1])
  return writeOnnxModel(builder.buildModel())
}

describe('loading', () => {
  test('refuses a bundle of another format', async () => {
    const failure = backend.load(withManifest({ format: 'tfjs-layers' }))
    await expect(failure).rejects.toBeInstanceOf(UnsupportedBundleError)
  })

  test('refuses a bundle of another version', async () => {
    const failure = backend.load(withManifest({ specVersion: 'v2' as 'v1' }))
    await expect(failure).rejects.toBeInstanceOf(UnsupportedVersionError)
  })

  test('refuses a stage whose file has other names than the manifest says', async () => {
    const stages = bundle.manifest.stages.map((stage) => ({ ...stage, scores: 'answers' }))
    const message = /'stage-0.onnx' takes \[input\] and yields \[cut-0, scores-0\]; .* to yield 'cut-0' and 'answers'\./
    await expect(backend.load(withManifest({ stages }))).rejects.toThrow(message)
  })

  test('refuses a stage whose head does not take the scores that the manifest says', async () => {
    const stages = bundle.manifest.stages.map((stage, i) => (i === 1 ? { ...stage, scoresInput: 'scores-0' } : stage))
    const message = /'stage-1.onnx' takes \[cut-0\] .* says to take 'cut-0' and 'scores-0' and to yield/
    await expect(backend.load(withManifest({ stages }))).rejects.toThrow(message)
  })

  test('refuses a stage that does not yield the features that the manifest says', async () => {
    const features = { output: 'features-0', width: 4 }
    const stages = bundle.manifest.stages.map((stage, i) => (i === 0 ? { ...stage, features } : stage))
    const message = /yields \[cut-0, scores-0\]; .* to yield 'cut-0' and 'scores-0' and 'features-0'\./
    await expect(backend.load(withManifest({ stages }))).rejects.toThrow(message)
  })

  test('releases the sessions it has made when a later stage is refused', async () => {
    const release = vi.fn()
    const create = async (...options: Parameters<typeof ort.InferenceSession.create>) => {
      const session = await ort.InferenceSession.create(...options)
      return Object.assign(session, { release })
    }
    const counting = { ...ort, InferenceSession: { create } as unknown as typeof ort.InferenceSession }
    const refused: Bundle = {
      ...bundle,
      read: async (path) => (path === 'stage-2.onnx' ? createUnknownOperator() : bundle.read(path)),
    }
    const failure = createOnnxRuntimeBackend({ ort: counting }).load(refused)
    await expect(failure).rejects.toBeInstanceOf(OnnxRuntimeError)
    await expect(failure).rejects.toThrow("Loading 'stage-2.onnx' failed in ONNX Runtime")
    // Two stages, and the trivial model that told a refused file from a missing execution provider.
    expect(release).toHaveBeenCalledTimes(3)
  })

  test('a damaged declaration of the cut is an error of the run, not a wrong answer', async () => {
    const stages = bundle.manifest.stages.map((stage) => ({ ...stage, outputShape: stage.outputShape && [2, 4] }))
    const model = await backend.load(withManifest({ stages }))
    const activation = await model.upload(batch)
    await expect(model.runStage(0, activation)).rejects.toBeInstanceOf(OnnxRuntimeError)
    activation.dispose()
    expect(model.liveHandles).toBe(0)
    await model.dispose()
  })
})

describe('a loaded model', () => {
  test('refuses zero rows before the engine sees them', async () => {
    const model = await backend.load(bundle)
    const empty = { ...batch, dims: [0, 3], data: new Float32Array(0) }
    await expect(model.upload(empty)).rejects.toBeInstanceOf(ShapeMismatchError)
    const activation = await model.upload(batch)
    await expect(model.selectRows(activation, new Uint32Array(0))).rejects.toBeInstanceOf(InvalidArgumentError)
    await model.dispose()
  })

  test('refuses rows and stages that do not exist, and activations of another stage or model', async () => {
    const [model, other] = [await backend.load(bundle), await backend.load(bundle)]
    const activation = await model.upload(batch)
    await expect(model.selectRows(activation, Uint32Array.of(3))).rejects.toThrow('Row 3 does not exist')
    await expect(model.runStage(3, activation)).rejects.toBeInstanceOf(InvalidArgumentError)
    await expect(model.runStage(1, activation)).rejects.toThrow('Stage 1 was given the input of stage 0')
    await expect(other.runStage(0, activation)).rejects.toThrow('The activation is not of this staged model')
    await Promise.all([model.dispose(), other.dispose()])
  })

  test('scores are kept for the next head although their owner has disposed them', async () => {
    const cascade = { seed: 4, inputShape: [3], cutWidths: [4, 4], classCount: 2, cascade: true }
    const chained = createRandomReferenceNetwork(cascade)
    const model = await backend.load(createReferenceOnnxBundle(chained))
    const uploaded = await model.upload(batch)
    const { activation, scores } = await model.runStage(0, uploaded)
    if (activation === null) throw new Error('Stage 0 gives no activation.')
    for (const handle of [uploaded, scores]) handle.dispose()
    const next = await model.runStage(1, activation)
    expect(model.liveHandles).toBe(3)
    const expected = computeReferenceScores(chained, batch)[1]?.data ?? []
    expect([...(await next.scores.read()).data]).toEqual([...expected].map((value) => expect.closeTo(value, 5)))
    await model.dispose()
  })

  test('an activation disposed during its run is kept until the run ends', async () => {
    const model = await backend.load(bundle)
    const [first, second] = [await model.upload(batch), await model.upload(batch)]
    const expected = await (await model.runStage(0, first)).scores.read()
    const running = model.runStage(0, second)
    second.dispose()
    expect((await (await running).scores.read()).data).toEqual(expected.data)
    await model.dispose()
  })

  test('dispose waits for the run in progress and refuses everything afterwards', async () => {
    const model = await backend.load(bundle)
    const activation = await model.upload(batch)
    const running = model.runStage(0, activation)
    const disposal = model.dispose()
    const { scores } = await running
    await disposal
    await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
    await expect(model.upload(batch)).rejects.toBeInstanceOf(DisposedError)
    await expect(model.runStage(0, activation)).rejects.toBeInstanceOf(DisposedError)
    await expect(model.selectRows(activation, Uint32Array.of(0))).rejects.toBeInstanceOf(DisposedError)
  })
})
