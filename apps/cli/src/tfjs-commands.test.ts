import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyData, writeTinyNetwork } from './testing/tiny-files.ts'
import { writeTinyTfjsGraph, writeTinyTfjsModel } from './testing/tiny-tfjs-model.ts'

/** The tiny network as a TensorFlow.js model and as an ONNX file, and a bundle made from each in the same way. */
let folder: string
let model: string
let network: string
let training: string
let unseen: string
let bundle: string
let onnxBundle: string
let image: string

const attachTiny = (from: string, out: string, ...more: string[]) =>
  ['attach', from, '--data', training, '--out', out, ...tinyNormalisation, '--head', 'linear', ...more] as const

const readManifest = async (path: string) => JSON.parse(await readFile(join(path, 'sluice.json'), 'utf8'))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tfjs-'))
  model = await writeTinyTfjsModel(join(folder, 'tiny'))
  network = await writeTinyNetwork(folder, 'tiny.onnx')
  training = await writeTinyData(folder, 'training', { rows: 1500, seed: 1 })
  unseen = await writeTinyData(folder, 'unseen', { rows: 400, seed: 2 })
  bundle = join(folder, 'tfjs.sluice')
  onnxBundle = join(folder, 'onnx.sluice')
  image = join(folder, 'image.png')
  await sharp(
    Uint8Array.from({ length: 192 }, (_, i) => i),
    { raw: { width: 8, height: 8, channels: 3 } },
  ).toFile(image)
  for (const args of [
    attachTiny(model, bundle, '--at', 'conv0,conv1'),
    attachTiny(network, onnxBundle, '--at', 'relu_1,relu_3'),
    ['calibrate', bundle, '--data', unseen, '--max-drop', '25'],
    ['calibrate', onnxBundle, '--data', unseen, '--max-drop', '25'],
  ]) {
    const { status, stderr } = await runSluice(...args)
    expect(status, stderr).toBe(0)
  }
}, 60_000)

afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Evaluation {
  readonly fullAccuracy: number
  readonly macsSaved: number
  readonly exits: readonly object[]
}

describe('a TensorFlow.js model', () => {
  it('is inspected as its ONNX twin, with its maps channels last', async () => {
    interface Inspection {
      readonly macs: number
      readonly parameters: number
      readonly cuts: readonly { readonly tensor: string; readonly macs: number }[]
    }
    const [tfjs, onnx] = [await inspect(join(model, 'model.json')), await inspect(network)]
    async function inspect(path: string) {
      return runSluiceForJson<Inspection>('inspect', path)
    }
    expect(Object.keys(tfjs)).toEqual(Object.keys(onnx))
    expect(tfjs).toMatchObject({ macs: onnx.macs, parameters: onnx.parameters })
    expect(tfjs).toMatchObject({
      inputs: [{ shape: ['batch', 8, 8, 3] }],
      outputs: [{ name: 'logits', shape: ['batch', 4] }],
    })
    expect(tfjs.cuts[1]).toEqual({ tensor: 'conv1', shape: [8, 8, 8], macs: 50688, share: expect.closeTo(0.5657, 4) })
    expect((await runSluice('inspect', model)).stdout).toMatch(/^conv1 +8x8x8 +50.7 kMACs +56.6 %$/m)
  })

  it('becomes a bundle that holds its files unchanged and a file for each head', async () => {
    const { format, name, input, stages } = await readManifest(bundle)
    expect({ format, name, layout: input.layout }).toEqual({ format: 'tfjs-layers', name: 'tiny', layout: 'NHWC' })
    expect(stages.map((stage: { file: string; headFile?: string }) => [stage.file, stage.headFile])).toEqual([
      ['model.json', 'gate-0.safetensors'],
      ['model.json', 'gate-1.safetensors'],
      ['model.json', undefined],
    ])
    for (const file of await readdir(model)) {
      expect(await readFile(join(bundle, file))).toEqual(await readFile(join(model, file)))
    }
  })

  it('has gates that do as well as those of its ONNX twin', async () => {
    const [tfjs, onnx] = [await readManifest(bundle), await readManifest(onnxBundle)]
    for (const [index, { share, head }] of onnx.gates.entries()) {
      expect(tfjs.gates[index].share).toBe(share)
      expect(tfjs.gates[index].head.parameters).toBe(head.parameters)
      expect(Math.abs(tfjs.gates[index].head.fitAccuracy - head.fitAccuracy)).toBeLessThan(0.1)
    }
    expect(tfjs.stages.map(({ macs }: { macs: object }) => macs)).toEqual(
      onnx.stages.map(({ macs }: { macs: object }) => macs),
    )
  })
})

describe('a graph model', () => {
  it('goes the same way from inspect to evaluate, at the same costs', async () => {
    const graph = await writeTinyTfjsGraph(join(folder, 'graph'))
    const { macs, parameters, cuts } = await runSluiceForJson<{ macs: number; parameters: number; cuts: object[] }>(
      'inspect',
      graph,
    )
    expect({ macs, parameters }).toEqual({ macs: 89600, parameters: 3416 })
    expect(cuts).toContainEqual({ tensor: 'map1', shape: [8, 8, 8], macs: 50688, share: expect.closeTo(0.5657, 4) })
    const out = join(folder, 'graph.sluice')
    expect((await runSluice(...attachTiny(graph, out, '--at', 'map0,map1'))).status).toBe(0)
    const [manifest, twin] = [await readManifest(out), await readManifest(bundle)]
    expect(manifest.format).toBe('tfjs-graph')
    expect(manifest.stages.map(({ macs }: { macs: object }) => macs)).toEqual(
      twin.stages.map(({ macs }: { macs: object }) => macs),
    )
    expect((await runSluice('calibrate', out, '--data', unseen, '--max-drop', '25')).status).toBe(0)
    const { fullAccuracy, macsSaved } = await runSluiceForJson<Evaluation>('evaluate', out, '--data', unseen)
    expect(fullAccuracy).toBe(1)
    expect(macsSaved).toBeGreaterThan(0)
  })
})

describe('commands on a calibrated bundle of a TensorFlow.js model', () => {
  it('evaluate finds the full network right, and saves MACs, on every backend', async () => {
    const evaluate = (...more: string[]) => runSluiceForJson<Evaluation>('evaluate', bundle, '--data', unseen, ...more)
    const { fullAccuracy, macsSaved, exits } = await evaluate('--backend', 'wasm')
    expect(fullAccuracy).toBe(1)
    expect(macsSaved).toBeGreaterThan(0)
    expect(await evaluate('--backend', 'cpu', '--batch', '100')).toMatchObject({ fullAccuracy, macsSaved, exits })
  })

  it('predict answers as the ONNX twin does when no gate is on', async () => {
    const [tfjs, onnx] = [join(folder, 'off-tfjs.sluice'), join(folder, 'off-onnx.sluice')]
    expect((await runSluice(...attachTiny(model, tfjs, '--gates', '1'))).status).toBe(0)
    expect((await runSluice(...attachTiny(network, onnx, '--gates', '1'))).status).toBe(0)
    interface Answer {
      predictions: { score: number }[]
    }
    const [actual, expected] = [
      await runSluiceForJson<Answer>('predict', tfjs, image),
      await runSluiceForJson<Answer>('predict', onnx, image),
    ]
    const [{ score, ...prediction } = { score: Number.NaN }] = expected.predictions
    expect(actual.predictions).toEqual([{ ...prediction, score: expect.closeTo(score, 4) }])
  })

  it('report and bench run, and calibrate by time', async () => {
    const page = join(folder, 'report.html')
    expect(await runSluiceForJson('report', bundle, '--data', unseen, '--out', page)).toMatchObject({ samples: 400 })
    const options = ['--data', unseen, '--batch', '8', '--rows', '16', '--rounds', '2']
    const { batch } = await runSluiceForJson<{ batch: { size: number }[] }>('bench', bundle, ...options)
    expect(batch.map(({ size }) => size)).toEqual([8])
    const out = join(folder, 'timed.sluice')
    expect((await runSluice(...attachTiny(model, out, '--at', 'conv0'))).status).toBe(0)
    const timed = await runSluice('calibrate', out, '--data', unseen, '--max-drop', '25', '--cost', 'time')
    expect(timed.status, timed.stderr).toBe(0)
    expect((await readManifest(out)).calibration.cost).toBe('time')
  })

  it('compare judges and times policies', async () => {
    const options = ['--data', unseen, '--splits', '1', '--policy', 'softmax', '--policy', 'ensemble']
    const timed = ['--batch', '8', '--rows', '8', '--rounds', '1']
    const { policies } = await runSluiceForJson<{ policies: { policy: string; time: { size: number }[] }[] }>(
      ...['compare', bundle, ...options, ...timed],
    )
    expect(policies.map(({ policy, time }) => [policy, time.map(({ size }) => size)])).toEqual([
      ['softmax', [8]],
      ['ensemble', [8]],
    ])
  })

  it('bench sets the backends side by side and says why one is missing', async () => {
    vi.stubEnv('SLUICE_TFJS_NODE', folder)
    const options = [
      '--data',
      unseen,
      '--batch',
      '8',
      '--rows',
      '16',
      '--rounds',
      '1',
      '--backend',
      'wasm',
      '--backends',
    ]
    interface Answer {
      readonly batch: readonly object[]
      readonly backends: readonly object[]
    }
    const { batch, backends } = await runSluiceForJson<Answer>('bench', bundle, ...options)
    const [row = {}] = batch
    expect(backends).toEqual([
      { backend: 'wasm', batch },
      { backend: 'cpu', batch: [Object.fromEntries(Object.keys(row).map((key) => [key, expect.anything()]))] },
      { backend: 'tensorflow', unavailable: expect.stringMatching(/^TensorFlow.js has no backend 'tensorflow' here/) },
    ])
    const { stdout } = await runSluice('bench', bundle, ...options)
    expect(stdout).toMatch(/^backend +batch .*\n[- ]+\nwasm +8 .*\ncpu +8 .*\ntensorflow did not run: .*\n$/)
    vi.unstubAllEnvs()
  })

  it('bench runs the other backends where the chosen one is missing, and fails where none runs', async () => {
    vi.stubEnv('SLUICE_TFJS_NODE', folder)
    const options = ['--data', unseen, '--rows', '8', '--rounds', '1', '--backend', 'tensorflow', '--backends']
    const { batch, backends } = await runSluiceForJson<{ batch: object[]; backends: object[] }>(
      ...['bench', bundle, ...options, '--batch', '8'],
    )
    expect(backends).toEqual([
      { backend: 'tensorflow', unavailable: expect.stringMatching(/^TensorFlow.js has no backend 'tensorflow' here/) },
      { backend: 'cpu', batch: expect.anything() },
      { backend: 'wasm', batch: expect.anything() },
    ])
    expect(backends[1]).toHaveProperty('batch', batch)
    const tooFew = await runSluice(
      'bench',
      bundle,
      '--data',
      unseen,
      '--backend',
      'wasm',
      '--backends',
      '--batch',
      '401',
    )
    expect(tooFew).toMatchObject({ status: 2, stdout: '' })
    expect(tooFew.stderr).toContain('has 400 samples, too few for a batch of 401')
    const unknown = await runSluice('bench', bundle, '--data', unseen, '--backend', 'cuda', '--backends')
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('--backend cuda does not run') })
    vi.unstubAllEnvs()
  })

  it('a backend of the other format is refused', async () => {
    for (const [path, backend, message] of [
      [onnxBundle, 'wasm', '--backend wasm does not run ONNX models; use one of cpu, cuda, webgpu.'],
      [bundle, 'cuda', '--backend cuda does not run TensorFlow.js models; use one of cpu, wasm, tensorflow.'],
    ] as const) {
      const { status, stderr } = await runSluice('evaluate', path, '--data', unseen, '--backend', backend)
      expect({ status, stderr }).toEqual({ status: 2, stderr: `sluice: ${message}\n` })
    }
  })
})

describe('a TensorFlow.js model that cannot be used', () => {
  const expectRefusal = async (args: readonly string[], status: number, message: RegExp) => {
    const before = await readdir(folder)
    const run = await runSluice(...args)
    expect(run.stderr).toMatch(/^sluice: [^\n]*\n$/)
    expect(run.stderr).toMatch(message)
    expect(run).toMatchObject({ status, stdout: '' })
    expect(await readdir(folder)).toEqual(before)
  }
  /** A model of its own for a test that breaks it. */
  const writeBroken = (name: string, options = {}) => writeTinyTfjsModel(join(folder, name), options)
  const out = () => join(folder, 'refused.sluice')

  it('lacks a shard, or has one that is cut off', async () => {
    const broken = await writeBroken('broken')
    await rm(join(broken, 'shard2.bin'))
    await expectRefusal(attachTiny(broken, out()), 1, /shard2\.bin cannot be read: ENOENT.*model\.json names it/)
    await writeFile(join(broken, 'shard2.bin'), new Uint8Array(8))
    await expectRefusal(attachTiny(broken, out()), 1, /shard2\.bin/)
  })

  it('is no model at all', async () => {
    await expectRefusal(['inspect', join(folder, 'none.json')], 1, /none\.json cannot be read: ENOENT/)
    await writeFile(join(folder, 'other.json'), '{"name": "no model"}')
    await expectRefusal(['inspect', join(folder, 'other.json')], 1, /has no field 'modelTopology'/)
  })

  it('gives no class scores, or takes other images than the data has', async () => {
    const map = await writeBroken('map', { givesMap: true })
    await expectRefusal(attachTiny(map, out()), 2, /output is conv2 \[batch, 8, 8, 8\]; gates need class scores/)
    const colour = ['--data', 'glyphs?limit=10', '--out', out()]
    await expectRefusal(['attach', model, ...colour], 1, /glyphs train has shape \[3, 32, 32\]; pass \[3, 8, 8\]/)
    const rate = ['--mean', '0.5', '--std', '0.5']
    await expectRefusal(['attach', model, '--data', training, '--out', out(), ...rate], 2, /give 3 values of each/)
  })
})
