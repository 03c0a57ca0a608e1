import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

async function writeConfig(name: string, changes: object = {}): Promise<string> {
  const config = {
    network: { kind: 'plain', layers: [4, 'pool', 6, 6], classes: 4, input: [8, 8, 3] },
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
  it('trains joint gates into a bundle that can be calibrated, and resumes at the end at once', async () => {
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
    const resumed = await runSluiceForJson<TrainAnswer>('train', config, '--out', out, '--resume')
    expect(resumed.exits).toEqual(answer.exits)
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

  it('starts from the weights of an ONNX file', async () => {
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

  it('names what is wrong with a config or its data', async () => {
    const messageOf = async (path: string) => (await runSluice('train', path, '--out', join(folder, 'wrong'))).stderr
    expect(await messageOf(join(folder, 'none.json'))).toContain('is no readable JSON')
    expect(await messageOf(await writeConfig('batch', { batch: 0 }))).toContain('batch: ')
    const network = { kind: 'plain', layers: [4], classes: 5, input: [8, 8, 3] }
    expect(await messageOf(await writeConfig('classes', { network }))).toContain('has 4 classes and the network 5')
  })
})
