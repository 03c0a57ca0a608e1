import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { createInitialValues, exportOnnx, parseNetworkConfig, planNetwork } from '@sluice/app-train'
import { writeOnnxModel } from '@sluice/onnx-graph'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { writeTinyData } from './testing/tiny-files.ts'

/** `sluice train` on a tiny network, in plain JavaScript. */

interface TrainAnswer {
  readonly epochs: number
  readonly exits: readonly { readonly name: string; readonly testAccuracy: number }[]
  readonly model: string
  readonly tfjs: string
  readonly bundle: string | null
}

let folder: string
let data: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-train-'))
  const labels = Int32Array.from({ length: 64 }, (_, row) => row % 4)
  data = await writeTinyData(folder, 'images', { rows: 64, seed: 1, labels })
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

const tinyNetwork = { kind: 'plain', layers: [4, 'pool', 6, 6], classes: 4, input: [8, 8, 3] }

/** Runs the command and interrupts it as soon as it listens for that; returns what it said. */
async function interrupt(...args: readonly string[]): Promise<string> {
  const before = process.listenerCount('SIGINT')
  const run = runSluice(...args)
  while (process.listenerCount('SIGINT') === before) await setImmediate()
  process.listeners('SIGINT').at(-1)?.('SIGINT')
  return (await run).stderr
}

async function writeConfig(name: string, changes: object = {}): Promise<string> {
  const config = {
    network: tinyNetwork,
    data,
    test: `${data}?limit=20`,
    epochs: 2,
    batch: 32,
    backend: 'cpu',
    ...changes,
  }
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify(config))
  return path
}

describe('sluice train', () => {
  it('trains joint gates into a bundle that can be calibrated, and resumes at the end at once without undoing that', async () => {
    const config = await writeConfig('joint', { gates: { kind: 'joint', count: 1, pool: 2, hidden: null } })
    const out = join(folder, 'joint')
    const answer = await runSluiceForJson<TrainAnswer>('train', config, '--out', out)
    expect(answer.exits.map(({ name }) => name)).toEqual(['block1', 'end'])
    expect((await readdir(out)).toSorted()).toEqual(
      ['checkpoint.bin', 'curves.html', 'gated.sluice', 'metrics.csv', 'model.onnx', 'tfjs'].toSorted(),
    )
    const metrics = await readFile(join(out, 'metrics.csv'), 'utf8')
    expect(metrics.split('\n').map((line) => line.split(',')[0])).toEqual(['epoch', '1', '2', ''])
    expect(await readFile(join(out, 'curves.html'), 'utf8')).toMatch(/<svg.*block1.*<\/html>/s)
    const calibration = await runSluiceForJson<object>(
      ...['calibrate', answer.bundle ?? '', '--data', data, '--max-drop', '50'],
    )
    expect(calibration).toHaveProperty('thresholds')
    const calibrated = await readFile(join(answer.bundle ?? '', 'sluice.json'), 'utf8')
    const resumed = await runSluiceForJson<TrainAnswer>('train', config, '--out', out, '--resume')
    expect(resumed).toMatchObject({ exits: answer.exits, bundle: answer.bundle })
    expect(await readFile(join(answer.bundle ?? '', 'sluice.json'), 'utf8')).toBe(calibrated)
    await rm(answer.bundle ?? '', { recursive: true })
    await runSluiceForJson<TrainAnswer>('train', config, '--out', out, '--resume')
    expect(await readdir(out)).toContain('gated.sluice')
  })

  it('attaches gates to the frozen network afterwards', async () => {
    const gates = { kind: 'after', at: ['block2'], pool: 2, hidden: null, loss: 'hinge' }
    const config = await writeConfig('after', { gates })
    const { bundle, model } = await runSluiceForJson<TrainAnswer>('train', config, '--out', join(folder, 'after'))
    const manifest = JSON.parse(await readFile(join(bundle ?? '', 'sluice.json'), 'utf8'))
    expect(manifest.gates).toMatchObject([{ head: { kind: 'linear', loss: 'hinge' } }])
    const inspected = await runSluiceForJson<{ outputs: readonly object[] }>('inspect', model)
    expect(inspected.outputs).toEqual([{ name: 'logits', shape: ['batch', 4] }])
  })

  it('starts from the weights of an ONNX file, which a resumed training does without', async () => {
    const first = await runSluiceForJson<TrainAnswer>(
      'train',
      await writeConfig('first'),
      '--out',
      join(folder, 'first'),
    )
    const optimiser = { learningRate: 1e-9, warmUpEpochs: 0, weightDecay: 0 }
    const config = await writeConfig('tuned', { epochs: 1, optimiser, initialWeights: first.model })
    const tuned = await runSluiceForJson<TrainAnswer>('train', config, '--out', join(folder, 'tuned'))
    expect(tuned.exits[0]?.testAccuracy).toBe(first.exits[0]?.testAccuracy)
    await rm(first.model)
    expect(await runSluice('train', config, '--out', join(folder, 'tuned'), '--resume')).toMatchObject({ status: 0 })
  })

  it('says how to go on when interrupted, but not when there is nothing to go on from', async () => {
    const config = await writeConfig('interrupted')
    const out = join(folder, 'interrupted')
    expect(await interrupt('train', config, '--out', out)).toContain(`Go on with: sluice train ${config} --out ${out}`)
    expect((await runSluice('train', config, '--out', out, '--resume')).status).toBe(0)
    const plan = planNetwork(parseNetworkConfig(tinyNetwork))
    const values = new Map(createInitialValues(plan, 1)).set('logits.bias', new Float32Array(4).fill(Number.NaN))
    const initialWeights = join(folder, 'broken.onnx')
    await writeFile(initialWeights, writeOnnxModel(exportOnnx(plan, values)))
    const broken = await writeConfig('broken', { initialWeights })
    const stderr = await interrupt('train', broken, '--out', join(folder, 'broken'))
    expect(stderr).toContain("'logits.bias' is no longer finite")
    expect(stderr).not.toContain('The checkpoint is kept')
  })

  it('touches no folder with other contents, and throws a training away only when told so', async () => {
    const config = await writeConfig('plain', { epochs: 1 })
    const other = await runSluice('train', config, '--out', folder)
    expect(other).toMatchObject({ status: 2, stdout: '' })
    expect(other.stderr).toContain('is not empty; name an empty folder')
    const out = join(folder, 'plain')
    expect((await runSluice('train', config, '--out', out, '--resume')).stderr).toContain('no checkpoint to resume')
    expect((await runSluice('train', config, '--out', out)).status).toBe(0)
    expect((await runSluice('train', config, '--out', out)).stderr).toContain(
      'add --resume to go on with it or --force',
    )
    expect((await runSluice('train', config, '--out', out, '--force')).status).toBe(0)
    const longer = await writeConfig('longer', { epochs: 2 })
    const refused = await runSluice('train', longer, '--out', out, '--resume')
    expect(refused).toMatchObject({ status: 1 })
    expect(refused.stderr).toContain('had epochs 1 and this one has 2')
  })

  it('throws nothing away with --force where no training is, or before the new one has something to keep', async () => {
    const config = await writeConfig('forced', { epochs: 1 })
    const other = join(folder, 'other')
    await mkdir(other)
    await writeFile(join(other, 'model.onnx'), 'of somebody else')
    const refused = await runSluice('train', config, '--out', other, '--force')
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('holds no training and is not empty') })
    expect(await readFile(join(other, 'model.onnx'), 'utf8')).toBe('of somebody else')

    const out = join(folder, 'forced')
    expect((await runSluice('train', config, '--out', out)).status).toBe(0)
    const checkpoint = await readFile(join(out, 'checkpoint.bin'))
    const entries = await readdir(out)
    for (const changes of [{ data: join(folder, 'none') }, { initialWeights: join(folder, 'none.onnx') }]) {
      const failed = await runSluice('train', await writeConfig('failing', changes), '--out', out, '--force')
      expect(failed.status).not.toBe(0)
      expect(await readdir(out)).toEqual(entries)
      expect(await readFile(join(out, 'checkpoint.bin'))).toEqual(checkpoint)
    }
    await writeFile(join(out, 'tfjs', 'left.bin'), 'over')
    const tuned = await writeConfig('again', { epochs: 1, initialWeights: join(out, 'model.onnx') })
    expect((await runSluice('train', tuned, '--out', out, '--force')).status).toBe(0)
    expect(await readdir(join(out, 'tfjs'))).not.toContain('left.bin')
  })

  it('names what is wrong with a config or its data', async () => {
    const messageOf = async (path: string) => (await runSluice('train', path, '--out', join(folder, 'wrong'))).stderr
    expect(await messageOf(join(folder, 'none.json'))).toContain('is no readable JSON')
    expect(await messageOf(await writeConfig('batch', { batch: 0 }))).toContain('batch: ')
    const network = { kind: 'plain', layers: [4], classes: 5, input: [8, 8, 3] }
    expect(await messageOf(await writeConfig('classes', { network }))).toContain('has 4 classes and the network 5')
  })
})
