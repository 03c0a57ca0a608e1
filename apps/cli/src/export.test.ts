import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { createBundlePolicy, exportGatedNetwork } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { type Bundle, createGatedModel, type Tensor } from '@sluice/core'
import { normalise } from '@sluice/datasets'
import { writeOnnxModel } from '@sluice/onnx-graph'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { drawTinyImages, tinyNormalisation, writeTinyData, writeTinyNetwork } from './testing/tiny-files.ts'

let folder: string
let bundle: string
/** The same network with heads that take the scores of the gate in front. */
let cascade: string
let convolutional: string
let unseen: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-export-'))
  const network = await writeTinyNetwork(folder, 'tiny.onnx')
  const training = await writeTinyData(folder, 'training', { rows: 1500, seed: 1 })
  unseen = await writeTinyData(folder, 'unseen', { rows: 400, seed: 2 })
  bundle = join(folder, 'tiny.sluice')
  cascade = join(folder, 'cascade.sluice')
  convolutional = join(folder, 'convolutional.sluice')
  const attach = ['attach', network, '--data', training, ...tinyNormalisation, '--out']
  for (const args of [
    [...attach, bundle, '--at', 'relu_1,relu_3', '--head', 'linear'],
    [...attach, cascade, '--at', 'relu_1,relu_3,relu_5', '--head', 'linear', '--cascade'],
    [...attach, convolutional, '--at', 'relu_1,relu_3', '--head', 'conv', '--channels', '6', '--hidden', '8'],
  ]) {
    const { status, stderr } = await runSluice(...args)
    expect(status, stderr).toBe(0)
  }
})

afterAll(() => rm(folder, { recursive: true }))

/** A copy of a bundle, calibrated for a policy. */
async function calibrateFor(policy: string, source = bundle): Promise<string> {
  const copy = join(folder, `copies-of-${basename(source)}`, `${policy}.sluice`)
  await cp(source, copy, { recursive: true })
  const calibrate = ['calibrate', copy, '--data', unseen, '--max-drop', '5', '--policy', policy]
  const { status, stderr } = await runSluice(...calibrate)
  expect(status, stderr).toBe(0)
  return copy
}

function drawBatch(rows: number): Tensor<'float32'> {
  const input = { shape: [3, 8, 8], layout: 'NCHW', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const
  return { type: 'float32', dims: [rows, 3, 8, 8], data: normalise(drawTinyImages(rows, 3), input) }
}

const exportable = [
  ...['softmax', 'entropy', 'margin', 'margin-difference', 'margin-distance', 'learned'],
  ...['learned-deeper', 'window', 'ensemble', 'ensemble-learned'],
]

describe.each(exportable)('exported for the policy %s', (policy) => {
  it('a bundle answers in one session as the runner does in stages', async () => {
    await expectSameAnswers(await openBundleFolder(await calibrateFor(policy)))
  })
})

it('exported with heads that convolve, a bundle answers in one session as the runner does in stages', async () => {
  await expectSameAnswers(await openBundleFolder(await calibrateFor('softmax', convolutional)))
})

describe('exported with heads in cascade', () => {
  it('a bundle answers in one session as the runner does in stages', async () => {
    await expectSameAnswers(await openBundleFolder(await calibrateFor('softmax', cascade)))
    await expectSameAnswers(await openBundleFolder(await calibrateFor('ensemble', cascade)))
  })

  it('a gate that is off still hands its scores to the next', async () => {
    const { manifest, read } = await openBundleFolder(await calibrateFor('margin', cascade))
    const [first, second, third] = manifest.gates
    if (first === undefined || second === undefined || third === undefined) throw new Error('A gate is missing.')
    const off = { ...first, policy: { name: 'softmax', parameters: {}, threshold: null } }
    const on = { ...second, policy: { ...second.policy, threshold: 0 } }
    const gates = [off, on, { ...third, policy: { ...third.policy, threshold: null } }]
    await expectSameAnswers({ manifest: { ...manifest, gates }, read })
  })
})

/** Fails unless the file of a bundle answers as its stages do, and rows leave at several of them. */
async function expectSameAnswers(source: Bundle): Promise<void> {
  const { model } = await exportGatedNetwork(source)
  const staged = await createOnnxRuntimeBackend({ threads: 1 }).load(source)
  const policy = { ...createBundlePolicy(source.manifest), expression: undefined }
  const gated = createGatedModel({ model: staged, policy })
  const session = await InferenceSession.create(writeOnnxModel(model), { logSeverityLevel: 3 })
  const seen = new Set<number>()
  for (const rows of [1, 7, 1024]) {
    const batch = drawBatch(rows)
    const expected = await gated.predict(batch)
    const { scores, exit } = await session.run({ image: new OrtTensor('float32', batch.data, batch.dims) })
    const exits = Array.from(exit?.data as BigInt64Array, Number)
    expect(exits).toEqual(Array.from(expected.exits))
    for (const stage of expected.exits) seen.add(stage)
    for (const [index, value] of expected.scores.data.entries()) {
      const error = Math.abs(Number(scores?.data[index]) - value) / Math.max(1, Math.abs(value))
      expect(error).toBeLessThan(1e-5)
    }
  }
  expect(seen.size).toBeGreaterThan(1)
  await session.release()
  await staged.dispose()
}

describe('sluice export', () => {
  it('writes one file and says what goes in and out', async () => {
    const source = await calibrateFor('softmax')
    const file = join(folder, 'gated.onnx')
    const answer = await runSluiceForJson<{ thresholds: object }>('export', source, '--out', file)
    expect(answer).toMatchObject({ files: [file], outputs: { scores: 'scores', exit: 'exit' } })
    expect(Object.keys(answer.thresholds)[0]).toBe('threshold_0')
    const again = await runSluice('export', source, '--out', file)
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('--force') })
    expect((await runSluice('export', source, '--out', file, '--force')).status).toBe(0)
  })

  it('writes a model repository for Triton and a manifest for KServe, as their documentation shows them', async () => {
    const source = await calibrateFor('entropy')
    const repository = join(folder, 'models')
    const manifest = join(folder, 'service.yaml')
    const serving = ['--triton', repository, '--max-batch', '32', '--kserve', manifest, '--storage-uri', 's3://models']
    expect(await runSluice('export', source, ...serving)).toMatchObject({ status: 0 })
    const files = ['1/model.onnx', 'config.pbtxt', 'labels.txt'].map((file) => join(repository, 'entropy', file))
    const [model, config, labels] = await Promise.all(files.map((file) => readFile(file)))
    expect(labels?.toString()).toBe('0\n1\n2\n3\n')
    const session = await InferenceSession.create(model ?? new Uint8Array(), { logSeverityLevel: 3 })
    expect([session.inputNames, session.outputNames]).toEqual([['image'], ['scores', 'exit']])
    await session.release()
    const fixtures = new URL('./serving/', import.meta.url)
    const expected = (name: string) => readFile(new URL(name, fixtures), 'utf8')
    expect(config?.toString()).toBe(await expected('expected-config.pbtxt'))
    expect(await readFile(manifest, 'utf8')).toBe(await expected('expected-service.yaml'))
  })

  it('wants to know where the file goes, and where the cluster finds it', async () => {
    expect(await runSluice('export', bundle)).toMatchObject({ status: 2, stderr: expect.stringContaining('--out') })
    const half = await runSluice('export', bundle, '--out', join(folder, 'x.onnx'), '--kserve', join(folder, 'x.yaml'))
    expect(half).toMatchObject({ status: 2, stderr: expect.stringContaining('--storage-uri') })
  })

  it('refuses a policy that ONNX operators cannot express', async () => {
    const { manifest, read } = await openBundleFolder(bundle)
    const policy = { name: 'patience', parameters: {}, threshold: 2 }
    const patient = { manifest: { ...manifest, gates: manifest.gates.map((gate) => ({ ...gate, policy })) }, read }
    const refused = exportGatedNetwork(patient)
    await expect(refused).rejects.toThrow("The policy 'patience' cannot be written in ONNX operators.")
    await expect(refused).rejects.toThrow(
      '--policy softmax, entropy, margin, margin-difference, margin-distance, learned',
    )
    await expect(refused).rejects.toThrow('learned-deeper, window, ensemble or ensemble-learned.')
  })
})

const python = process.env.SLUICE_PYTHON ?? 'python3'
const canImport = (modules: string) =>
  promisify(execFile)(python, ['-c', `import ${modules}`]).then(
    () => true,
    () => false,
  )
const hasRuntime = await canImport('numpy, onnxruntime')
const hasChecker = await canImport('onnx')

describe('in Python', () => {
  it("the file passes onnx.checker's full check", async (context) => {
    if (!hasChecker) return context.skip(`${python} cannot import onnx; SLUICE_PYTHON names another`)
    const { model } = await exportGatedNetwork(await openBundleFolder(await calibrateFor('softmax')))
    const file = join(folder, 'checked.onnx')
    await writeFile(file, writeOnnxModel(model))
    await promisify(execFile)(python, [
      '-c',
      `import onnx; onnx.checker.check_model(${JSON.stringify(file)}, full_check=True)`,
    ])
  })

  it('the file answers as in JavaScript, and its thresholds can be replaced', async (context) => {
    if (!hasRuntime) return context.skip(`${python} cannot import numpy and onnxruntime; SLUICE_PYTHON names another`)
    const source = await openBundleFolder(await calibrateFor('margin'))
    const { model } = await exportGatedNetwork(source)
    const bytes = writeOnnxModel(model)
    const batch = drawBatch(9)
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 })
    const { scores, exit } = await session.run({ image: new OrtTensor('float32', batch.data, batch.dims) })
    await session.release()
    await writeFile(join(folder, 'python.onnx'), bytes)
    await writeFile(join(folder, 'batch.bin'), batch.data)
    const script = `
import json, numpy, onnxruntime, sys
onnxruntime.set_default_logger_severity(3)
session = onnxruntime.InferenceSession(sys.argv[1])
images = numpy.fromfile(sys.argv[2], numpy.float32).reshape(9, 3, 8, 8)
scores, exits = session.run(['scores', 'exit'], {'image': images})
never = {i.name: numpy.array(numpy.inf, numpy.float32) for i in session.get_overridable_initializers()}
last = session.run(['exit'], {'image': images, **never})[0]
print(json.dumps({'scores': scores.ravel().tolist(), 'exits': exits.tolist(), 'last': last.tolist()}))`
    const args = ['-c', script, join(folder, 'python.onnx'), join(folder, 'batch.bin')]
    const { stdout } = await promisify(execFile)(python, args)
    const answer = JSON.parse(stdout) as { scores: number[]; exits: number[]; last: number[] }
    expect(answer.exits).toEqual(Array.from(exit?.data as BigInt64Array, Number))
    for (const [index, value] of answer.scores.entries()) expect(scores?.data[index]).toBeCloseTo(value, 5)
    const deepest = Math.max(...answer.last)
    expect(answer.last).toEqual(answer.last.map(() => deepest))
    expect(deepest).toBeGreaterThan(0)
  })
})
