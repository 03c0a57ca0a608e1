import {
  type Bundle,
  type BundleManifest,
  createGatedModel,
  DisposedError,
  InvalidArgumentError,
  ShapeMismatchError,
  UnsupportedBundleError,
} from '@sluice/core'
import { createRandomBatch, createRandomReferenceNetwork, createScriptedPolicy } from '@sluice/core/reference'
import { describe, expect, test } from 'vitest'
import { createTfjsBackend } from './backend.ts'
import { InvalidHeadFileError, InvalidTfjsModelError, UnsupportedTfjsModelError } from './errors.ts'
import { openNodeTfjs } from './node.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

const tf = await openNodeTfjs('cpu')
const backend = createTfjsBackend({ tf })
const network = createRandomReferenceNetwork({ seed: 2, inputShape: [3], cutWidths: [4, 4], classCount: 2 })
const bundle = await createReferenceTfjsBundle(tf, network, 'tfjs-graph')
const { stages } = bundle.manifest
const batch = createRandomBatch(1, 3, [3])

function withManifest(changes: Partial<BundleManifest>): Bundle {
  return { ...bundle, manifest: { ...bundle.manifest, ...changes } }
}

describe('loading', () => {
  test.each<[string, Partial<BundleManifest>, string]>([
    ['another format of the two', { format: 'tfjs-layers' }, 'its manifest says tfjs-layers'],
    ['several model files', { stages: stages.map((s, i) => ({ ...s, file: `${i}.json` })) }, 'cuts of one model'],
    ['another input', { stages: stages.map((s, i) => (i === 0 ? { ...s, input: 'x' } : s)) }, "takes 'input'"],
    ['a cut that is none', { stages: stages.map((s) => ({ ...s, output: s.output && 'cut' })) }, "'cut' is no tensor"],
    [
      'cuts out of order',
      { stages: [1, 0, 2].flatMap((i) => stages[i] ?? []).map((s) => ({ ...s, input: 'input' })) },
      "'cut-0'",
    ],
    ['no head file', { stages: stages.map(({ headFile: _, ...stage }) => stage) }, 'stage 0 names no head file'],
    ['no gates', { gates: [] }, 'has no gate'],
    [
      'other classes than its heads',
      { classes: ['a', 'b', 'c'] },
      'turns 4 values into 2; its stage and classes need 4 into 3',
    ],
    [
      'a head that does not take the scores it should',
      { stages: stages.map((stage, i) => (i === 1 ? { ...stage, scoresInput: 'scores-0' } : stage)) },
      'turns 4 values into 2; its stage and classes need 6 into 2',
    ],
    [
      'another number of features than its cut has channels',
      { stages: stages.map((stage) => (stage.output ? { ...stage, features: { output: 'f', width: 3 } } : stage)) },
      "'f' has 3 values a row; a tensor [4] has 4 channels",
    ],
  ])('refuses a bundle with %s', async (_, changes, message) => {
    const before = tf.memory().numTensors
    const failure = backend.load(withManifest(changes))
    await expect(failure).rejects.toBeInstanceOf(UnsupportedBundleError)
    await expect(failure).rejects.toThrow(message)
    expect(tf.memory().numTensors).toBe(before)
  })

  test('refuses scores that no operation yields', async () => {
    const failure = backend.load(withManifest({ stages: stages.map((stage) => ({ ...stage, scores: 'answers' })) }))
    await expect(failure).rejects.toBeInstanceOf(UnsupportedTfjsModelError)
    await expect(failure).rejects.toThrow("no tensor 'answers'; its outputs are 'scores'")
  })

  test('frees what it has loaded when a head is damaged', async () => {
    const before = tf.memory().numTensors
    const read = async (path: string) => {
      const bytes = await bundle.read(path)
      return path === stages[1]?.headFile ? bytes.subarray(0, 20) : bytes
    }
    await expect(backend.load({ ...bundle, read })).rejects.toBeInstanceOf(InvalidHeadFileError)
    expect(tf.memory().numTensors).toBe(before)
  })

  test('names the active backend and its device', () => {
    expect([backend.name, backend.capabilities.device]).toEqual(['tfjs (cpu)', 'cpu'])
  })
})

describe('a loaded model', () => {
  test('refuses zero rows, rows and stages that do not exist, and activations of another stage or model', async () => {
    const [model, other] = [await backend.load(bundle), await backend.load(bundle)]
    const empty = { ...batch, dims: [0, 3], data: new Float32Array(0) }
    await expect(model.upload(empty)).rejects.toBeInstanceOf(ShapeMismatchError)
    const activation = await model.upload(batch)
    await expect(model.selectRows(activation, new Uint32Array(0))).rejects.toBeInstanceOf(InvalidArgumentError)
    await expect(model.selectRows(activation, Uint32Array.of(3))).rejects.toThrow('Row 3 does not exist')
    await expect(model.runStage(3, activation)).rejects.toBeInstanceOf(InvalidArgumentError)
    await expect(model.runStage(1, activation)).rejects.toThrow('Stage 1 was given the input of stage 0')
    await expect(other.runStage(0, activation)).rejects.toThrow('The activation is not of this staged model')
    await Promise.all([model.dispose(), other.dispose()])
  })

  test('a damaged declaration of the cut is an error of the run, not a wrong answer', async () => {
    const changed = stages.map((stage) => ({ ...stage, outputShape: stage.outputShape && [2, 4] }))
    const model = await backend.load(withManifest({ stages: changed }))
    const activation = await model.upload(batch)
    const live = tf.memory().numTensors
    await expect(model.runStage(0, activation)).rejects.toBeInstanceOf(InvalidTfjsModelError)
    expect(tf.memory().numTensors).toBe(live)
    activation.dispose()
    expect(model.liveHandles).toBe(0)
    await model.dispose()
  })

  test('of one stage may end at a cut', async () => {
    const truncated = { ...(stages[0] ?? expect.unreachable()), output: null, outputShape: null, scores: 'cut-0' }
    const model = await backend.load(withManifest({ stages: [truncated], gates: [] }))
    const activation = await model.upload(batch)
    const { scores } = await model.runStage(0, activation)
    expect((await scores.read()).data).toHaveLength(3 * 4)
    await model.dispose()
  })

  test('selecting all rows in order shares memory, and either may be disposed first', async () => {
    const model = await backend.load(bundle)
    const activation = await model.upload(batch)
    const { numDataBuffers } = tf.memory()
    const all = await model.selectRows(activation, Uint32Array.of(0, 1, 2))
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers)
    activation.dispose()
    const { scores } = await model.runStage(0, all)
    expect((await scores.read()).data).toHaveLength(6)
    await model.dispose()
  })

  test('disposing it frees everything, handles still out included', async () => {
    const before = tf.memory().numTensors
    const model = await backend.load(bundle)
    const activation = await model.upload(batch)
    const { scores } = await model.runStage(0, activation)
    await model.dispose()
    expect(tf.memory().numTensors).toBe(before)
    await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
    scores.dispose()
    activation.dispose()
  })
})

test.each(['tfjs-layers', 'tfjs-graph'] as const)('memory is flat over 10,000 batches of %s', async (format) => {
  const small = createRandomReferenceNetwork({ seed: 2, inputShape: [3], cutWidths: [2], classCount: 2 })
  const rows = createRandomBatch(1, 2, [3])
  const { numTensors } = tf.memory()
  const model = await backend.load(await createReferenceTfjsBundle(tf, small, format))
  const gated = createGatedModel({ model, policy: createScriptedPolicy([0, 1]) })
  const loaded = tf.memory()
  for (let run = 0; run < 10_000; run++) await gated.predict(rows)
  const { numTensors: tensors, numBytes: bytes } = tf.memory()
  expect([tensors, bytes]).toEqual([loaded.numTensors, loaded.numBytes])
  await model.dispose()
  expect(tf.memory().numTensors).toBe(numTensors)
})
