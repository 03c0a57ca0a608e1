import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from './testing/read-manifest.ts'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyData, writeTinyNetwork } from './testing/tiny-files.ts'

/** A network, its data and a bundle made from them; tests that write copy the bundle's command line, not the bundle. */
let folder: string
let network: string
let training: string
let unseen: string
let bundle: string
let image: string

const attachTiny = (out: string, ...more: string[]) =>
  ['attach', network, '--data', training, '--out', out, ...tinyNormalisation, '--head', 'linear', ...more] as const

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'))
  network = await writeTinyNetwork(folder, 'tiny.onnx')
  training = await writeTinyData(folder, 'training', { rows: 1500, seed: 1 })
  unseen = await writeTinyData(folder, 'unseen', { rows: 400, seed: 2 })
  bundle = join(folder, 'tiny.sluice')
  image = join(folder, 'image.png')
  await sharp(
    Uint8Array.from({ length: 192 }, (_, i) => i),
    { raw: { width: 8, height: 8, channels: 3 } },
  ).toFile(image)
  const { status, stderr } = await runSluice(...attachTiny(bundle, '--at', 'relu_1,relu_3'))
  expect(status, stderr).toBe(0)
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('sluice inspect', () => {
  it('answers with exactly the keys of the contract', async () => {
    const answer = await runSluiceForJson<{ cuts: object[]; inputs: object[] }>('inspect', network)
    expect(Object.keys(answer)).toEqual(['macs', 'parameters', 'inputs', 'outputs', 'cuts'])
    expect(answer).toMatchObject({
      macs: 8 * 64 * 9 * (3 + 8 + 8) + 512 * 4,
      parameters: 8 * 9 * (3 + 8 + 8) + 512 * 4,
      inputs: [{ name: 'image', shape: ['batch', 3, 8, 8] }],
      outputs: [{ name: 'logits', shape: ['batch', 4] }],
    })
    expect(answer.cuts[0]).toEqual({
      tensor: 'conv_0',
      shape: [8, 8, 8],
      macs: 13824,
      share: expect.closeTo(0.1543, 4),
    })
  })

  it('prints a table in which every cut has a line', async () => {
    const { stdout, stderr } = await runSluice('inspect', network)
    expect(stdout).toContain('89.6 kMACs per sample (1 MAC = 2 FLOPs), 3,416 parameters')
    expect(stdout).toMatch(/^cut +shape +MACs +share\n-+ {2}/m)
    expect(stdout).toMatch(/^relu_3 +8x8x8 +50.7 kMACs +56.6 %$/m)
    expect(stderr).toBe('')
  })
})

describe('sluice attach', () => {
  it('answers with exactly the keys of the contract and writes a bundle whose gates are off', async () => {
    const out = join(folder, 'keys.sluice')
    interface Answer {
      bundle: string
      gates: object[]
      seconds: Record<string, number>
    }
    const answer = await runSluiceForJson<Answer>(...attachTiny(out, '--at', 'relu_1', '--pool', '2'))
    expect(Object.keys(answer)).toEqual(['bundle', 'gates', 'seconds'])
    expect(answer.bundle).toBe(out)
    expect(answer.gates).toEqual([
      {
        stage: 0,
        tensor: 'relu_1',
        share: expect.closeTo(0.1543, 4),
        head: 'linear',
        parameters: 8 * 2 * 4 * 4 + 4,
        macs: 8 * 2 * 4 * 4,
        fitAccuracy: expect.any(Number),
      },
    ])
    expect(Object.keys(answer.seconds)).toEqual(['total', 'forward', 'plainForward', 'fit'])
    const { gates } = JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8'))
    expect(gates[0].policy.threshold).toBeNull()
  })

  it('places gates that save what is asked, or says that none does', async () => {
    const out = join(folder, 'placed')
    const auto = (gain: string) => ['--gates', 'auto', '--placement-drop', '50', '--placement-gain', gain] as const
    const { status, stderr } = await runSluice(...attachTiny(out, ...auto('99.5')))
    expect(status, stderr).toBe(2)
    expect(stderr).toContain('No gate saves 99.5 % of the MACs at a drop of 50 points')
    const { gates } = await runSluiceForJson<{ gates: unknown[] }>(...attachTiny(out, ...auto('0.1')))
    expect(gates.length).toBeGreaterThan(0)
  })

  it('replaces a bundle with --force, and by no means another folder', async () => {
    const out = join(folder, 'twice.sluice')
    expect((await runSluice(...attachTiny(out, '--at', 'relu_1'))).status).toBe(0)
    const again = await runSluice(...attachTiny(out, '--at', 'relu_3'))
    expect(again).toMatchObject({ status: 1, stdout: '' })
    expect(again.stderr).toMatch(/^sluice: .*twice\.sluice' exists already\. .*--force.*\n$/)
    expect((await runSluice(...attachTiny(out, '--at', 'relu_3', '--force'))).status).toBe(0)
    expect(JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8')).stages[0].output).toBe('relu_3')
    const other = await runSluice(...attachTiny(folder, '--at', 'relu_1', '--force'))
    expect(other.status).toBe(1)
    expect(other.stderr).toContain('holds other files than a bundle and is never replaced')
  })

  it('gives the same bundle for the same seed and another for another', async () => {
    const read = async (name: string, seed: string) => {
      const out = join(folder, name)
      expect((await runSluice(...attachTiny(out, '--at', 'relu_1', '--seed', seed))).status).toBe(0)
      return JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8')).files['stage-0.onnx'].sha256
    }
    expect(await read('seed-a', '5')).toBe(await read('seed-b', '5'))
    expect(await read('seed-c', '6')).not.toBe(await read('seed-a2', '5'))
  })

  it('fits on shifted and mirrored copies of the images where asked', async () => {
    const fit = async (name: string, ...more: string[]) => {
      const out = join(folder, name)
      await runSluiceForJson(...attachTiny(out, '--at', 'relu_1', ...more))
      return (await readManifest(out)).files['stage-0.onnx']?.sha256
    }
    const heads = [await fit('copies-0'), await fit('copies-2', '--copies', '2')]
    heads.push(await fit('copies-shifted', '--copies', '2', '--no-flip'))
    expect(new Set(heads).size).toBe(3)
  })

  it('needs labels unless heads learn from the network itself', async () => {
    const unlabelled = ['attach', network, '--data', `npy:${join(folder, 'training.npy')}`, ...tinyNormalisation]
    const options = ['--at', 'relu_1', '--head', 'linear', '--out']
    const refused = await runSluice(...unlabelled, ...options, join(folder, 'unlabelled'))
    expect(refused.status).toBe(2)
    expect(refused.stderr).toMatch(/^sluice: .* has no labels .* use --loss distillation\.\n$/)
    const out = join(folder, 'distilled')
    expect((await runSluice(...unlabelled, ...options, out, '--loss', 'distillation')).status).toBe(0)
    expect(JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8')).gates[0].head.loss).toBe('distillation')
  })

  it('brings images of any size to the input of the network', async () => {
    const images = join(folder, 'images')
    await writeImageFolder(images, 40)
    const out = join(folder, 'images.sluice')
    const options = ['--at', 'relu_1', '--head', 'linear', '--resize', '9', '--out', out]
    const { status, stderr } = await runSluice('attach', network, '--data', `images:${images}`, ...options)
    expect(status, stderr).toBe(0)
    expect(stderr).toContain("Input normalised with ImageNet's mean")
    const { input, classes } = JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8'))
    expect(input.resize).toBe(9)
    expect(classes).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('sluice calibrate', () => {
  it('answers with exactly the keys of the contract and writes the thresholds', async () => {
    const answer = await runSluiceForJson<{ thresholds: number[]; tuning: { drop: number } }>(
      ...['calibrate', bundle, '--data', unseen, '--max-drop', '25'],
    )
    expect(answer).toEqual({
      policy: 'softmax',
      thresholds: answer.thresholds,
      target: { maxDrop: 25, confidence: null },
      tuning: { samples: 400, drop: expect.any(Number), macsSaved: expect.any(Number) },
      guarantee: null,
    })
    expect(answer.tuning.drop).toBeLessThanOrEqual(25)
    const manifest = JSON.parse(await readFile(join(bundle, 'sluice.json'), 'utf8'))
    const written = manifest.gates.map((gate: { policy: { threshold: number | null } }) => gate.policy.threshold)
    expect(written).toEqual(answer.thresholds)
    expect(manifest.calibration.measured.drop).toBe(answer.tuning.drop)
  })

  it('turns the gates off, says so and succeeds when no threshold meets the target', async () => {
    const out = await attachCopy('strict')
    const { status, stdout, stderr } = await runSluice(
      ...['calibrate', out, '--data', unseen, '--max-drop', '0', '--json'],
    )
    expect(status).toBe(0)
    expect(stderr).toContain('No gates save MACs within a drop of 0 points; all stay off.')
    expect(JSON.parse(stdout)).toMatchObject({ thresholds: [null, null], tuning: { drop: 0, macsSaved: 0 } })
    expect(await runSluiceForJson('evaluate', out, '--data', unseen)).toMatchObject({ drop: 0, macsSaved: 0 })
    const report = await runSluice('report', out, '--data', unseen, '--out', join(folder, 'nothing.html'))
    expect(report.status).toBe(2)
    expect(report.stderr).toMatch(/^sluice: No gate of this bundle is on, .*\n$/)
  })

  it('warns of fewer than 100 samples', async () => {
    const out = await attachCopy('few')
    const few = await runSluice('calibrate', out, '--data', `${unseen}?limit=99`, '--max-drop', '20')
    expect(few.status).toBe(0)
    expect(few.stderr).toContain('Only 99 samples')
    const enough = await runSluice('calibrate', out, '--data', `${unseen}?limit=100`, '--max-drop', '20')
    expect(enough.stderr).not.toContain('samples: thresholds')
  })

  it('judges by agreement where there are no labels, as with --no-labels', async () => {
    const out = await attachCopy('agreement')
    const options = ['--max-drop', '20', '--data'] as const
    const unlabelled = await runSluiceForJson('calibrate', out, ...options, `npy:${join(folder, 'unseen.npy')}`)
    expect(await runSluiceForJson('calibrate', out, ...options, unseen, '--no-labels')).toEqual(unlabelled)
    const manifest = JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8'))
    expect(manifest.calibration.reference).toBe('full-network')
  })

  it('takes every policy by its name, and times instead of MACs', async () => {
    const out = await attachCopy('policies')
    for (const policy of ['entropy', 'margin', 'margin-difference', 'margin-distance', 'learned']) {
      const options = ['--data', unseen, '--max-drop', '20', '--policy', policy]
      expect(await runSluiceForJson('calibrate', out, ...options)).toMatchObject({ policy })
      expect((await runSluice('evaluate', out, '--data', unseen)).status).toBe(0)
    }
    const timed = ['--data', unseen, '--max-drop', '20', '--cost', 'time']
    expect((await runSluice('calibrate', out, ...timed)).status).toBe(0)
    expect(JSON.parse(await readFile(join(out, 'sluice.json'), 'utf8')).calibration.cost).toBe('time')
  })
})

it('an ensemble answers the rows that reach the end too, in evaluate as calibrate counted', async () => {
  const out = await attachCopy('ensemble')
  const options = ['--data', unseen, '--max-drop', '20', '--policy', 'ensemble'] as const
  interface Calibrated {
    readonly tuning: { readonly drop: number; readonly macsSaved: number }
  }
  const { tuning } = await runSluiceForJson<Calibrated>('calibrate', out, ...options)
  expect((await readManifest(out)).endPolicy).toEqual({ name: 'ensemble', parameters: expect.anything() })
  const evaluation = await runSluiceForJson<Calibrated['tuning']>('evaluate', out, '--data', unseen)
  expect(evaluation.drop).toBeCloseTo(tuning.drop, 9)
  expect(evaluation.macsSaved).toBeCloseTo(tuning.macsSaved, 9)
  await runSluiceForJson('calibrate', out, ...options, '--no-labels')
  expect((await readManifest(out)).endPolicy).toBeUndefined()
})

describe('commands on a calibrated bundle', () => {
  let calibrated: string

  beforeAll(async () => {
    calibrated = await attachCopy('calibrated')
    const { status } = await runSluice('calibrate', calibrated, '--data', unseen, '--max-drop', '25')
    expect(status).toBe(0)
  })

  it('evaluate answers with exactly the keys of the contract, and figures that agree', async () => {
    interface Answer {
      accuracy: number
      fullAccuracy: number
      drop: number
      macsPerSample: number
      fullMacs: number
      macsSaved: number
      exits: { stage: number; share: number; accuracy: number | null }[]
      milliseconds: object
    }
    const answer = await runSluiceForJson<Answer>('evaluate', calibrated, '--data', unseen, '--batch', '100')
    expect(Object.keys(answer)).toEqual(
      [
        'samples',
        'accuracy',
        'fullAccuracy',
        'drop',
        'agreement',
        'macsPerSample',
        'fullMacs',
        'macsSaved',
        'exits',
      ].concat(['milliseconds', 'timeSaved']),
    )
    expect(Object.keys(answer.milliseconds)).toEqual(['gated', 'full'])
    expect(answer).toMatchObject({ samples: 400, fullAccuracy: 1, fullMacs: 89600 })
    expect(answer.drop).toBeCloseTo(100 * (1 - answer.accuracy), 9)
    expect(answer.macsSaved).toBeCloseTo(1 - answer.macsPerSample / answer.fullMacs, 12)
    expect(answer.macsSaved).toBeGreaterThan(0)
    expect(answer.exits.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
    expect(answer.exits.at(-1)?.stage).toBe(2)
    expect((await runSluice('evaluate', calibrated, '--data', unseen)).stdout).toMatch(/^exit +samples +accuracy\n-/m)
  })

  it('predict answers for each image', async () => {
    const answer = await runSluiceForJson<{ predictions: object[] }>('predict', calibrated, image, image)
    expect(answer.predictions).toHaveLength(2)
    expect(answer.predictions[1]).toEqual(answer.predictions[0])
    expect(Object.keys(answer.predictions[0] ?? {})).toEqual(['file', 'class', 'score', 'exit', 'macs'])
    expect((await runSluice('predict', calibrated, image)).stdout).toMatch(/^file +class +score +exit +MACs\n-/m)
  })

  it('bench answers with exactly the keys of the contract', async () => {
    interface Answer {
      batch: { size: number; full: object }[]
    }
    const options = ['--data', unseen, '--batch', '1,8', '--rows', '16', '--rounds', '2']
    const { batch } = await runSluiceForJson<Answer>('bench', calibrated, ...options)
    expect(batch.map(({ size }) => size)).toEqual([1, 8])
    for (const entry of batch) {
      expect(Object.keys(entry)).toEqual([
        'size',
        'full',
        'gated',
        'noExit',
        'timeSaved',
        'macsSaved',
        'idealTimeSaved',
        'overhead',
      ])
      expect(Object.keys(entry.full)).toEqual(['median', 'min', 'max'])
    }
  })

  it('report writes one page, never over an existing file unasked', async () => {
    const out = join(folder, 'report.html')
    const args = ['report', calibrated, '--data', unseen, '--out', out] as const
    expect(await runSluiceForJson(...args)).toMatchObject({ report: out, samples: 400 })
    expect(await readFile(out, 'utf8')).toMatch(/^<!doctype html>[\s\S]*data:image\/png[\s\S]*<\/html>\n$/)
    await writeFile(out, 'mine')
    const refused = await runSluice(...args)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toMatch(/it exists\. Add --force to replace it.*\n$/)
    expect(await readFile(out, 'utf8')).toBe('mine')
    expect((await runSluice(...args, '--force')).status).toBe(0)
    const device = await runSluice('report', calibrated, '--data', unseen, '--out', '/dev/full', '--force')
    expect(device.status).toBe(1)
    expect(device.stderr).toContain('something else than a file stands there')
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).toEqual([])
  })

  it('evaluate and report refuse data without labels', async () => {
    const data = ['--data', `npy:${join(folder, 'unseen.npy')}`]
    for (const args of [
      ['evaluate', calibrated],
      ['report', calibrated, '--out', join(folder, 'unlabelled.html')],
    ]) {
      const { status, stderr } = await runSluice(...args, ...data)
      expect(status).toBe(1)
      expect(stderr).toMatch(/^sluice: .*unseen\.npy has no labels; .*\n$/)
    }
  })
})

/** A bundle of its own for a test that changes it. */
async function attachCopy(name: string): Promise<string> {
  const out = join(folder, `${name}.sluice`)
  const { status, stderr } = await runSluice(...attachTiny(out, '--at', 'relu_1,relu_3'))
  expect(status, stderr).toBe(0)
  return out
}

async function writeImageFolder(images: string, perClass: number): Promise<void> {
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    await mkdir(join(images, name), { recursive: true })
    for (let i = 0; i < perClass; i++) {
      const background = { r: 60 * index, g: 5 * i, b: 255 - 60 * index }
      const picture = sharp({ create: { width: 12, height: 16, channels: 3, background } })
      await picture.png().toFile(join(images, name, `${i}.png`))
    }
  }
}
