import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { policyFamilies } from '@sluice/app-train'
import { beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from './testing/read-manifest.ts'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, tinyWidth, writeTinyNetwork } from './testing/tiny-files.ts'
import { writeTinyTfjsModel } from './testing/tiny-tfjs-model.ts'
import { useTinyData } from './testing/use-tiny-data.ts'

const tiny = useTinyData('features')

async function attach(network: string, cuts: string, out: string, ...options: readonly string[]): Promise<void> {
  const data = ['--data', tiny.training, ...tinyNormalisation, '--head', 'linear', '--pool', '2']
  const { status, stderr } = await runSluice('attach', network, ...data, '--out', out, '--at', cuts, ...options)
  expect(status, stderr).toBe(0)
}

interface Figures {
  readonly drop: number
  readonly macsSaved: number
}

describe.each([
  { format: 'ONNX', write: () => writeTinyNetwork(tiny.folder, 'tiny.onnx'), cuts: 'relu_1,relu_3' },
  { format: 'TensorFlow.js', write: () => writeTinyTfjsModel(join(tiny.folder, 'tiny')), cuts: 'conv0,conv1' },
])('pooled features of a network in $format', ({ format, write, cuts }) => {
  let bundle: string

  beforeAll(async () => {
    bundle = join(tiny.folder, `${format}.sluice`)
    await attach(await write(), cuts, bundle, '--features')
  })

  it('stand in the manifest, one output a gate, and cost no MACs', async () => {
    const { stages } = await readManifest(bundle)
    expect(stages.map(({ features }) => features)).toEqual([
      { output: 'sluice/gate_0/features', width: tinyWidth },
      { output: 'sluice/gate_1/features', width: tinyWidth },
      undefined,
    ])
    const pooled = tinyWidth * 2 * 2 * 2
    expect(stages.map(({ macs }) => macs.head)).toEqual([pooled * 4, pooled * 4, 0])
  })

  it('let learned-features be calibrated, evaluated and reported, and the runner does what calibration says', async () => {
    const data = ['--data', tiny.unseen] as const
    const calibrate = ['calibrate', bundle, ...data, '--max-drop', '20', '--policy', 'learned-features'] as const
    const { tuning } = await runSluiceForJson<{ tuning: Figures }>(...calibrate)
    expect(tuning.macsSaved).toBeGreaterThan(0)
    for (const batch of ['1', '64']) {
      const figures = await runSluiceForJson<Figures>('evaluate', bundle, ...data, '--batch', batch)
      expect(figures.drop).toBeCloseTo(tuning.drop, 9)
      expect(figures.macsSaved).toBeCloseTo(tuning.macsSaved, 9)
    }
    await runSluiceForJson('report', bundle, ...data, '--out', join(tiny.folder, `${format}.html`))
  })

  it('bring learned-features into the comparison', async () => {
    const compare = ['compare', bundle, '--data', tiny.unseen, '--splits', '1', '--no-time'] as const
    const { policies } = await runSluiceForJson<{ policies: { policy: string }[] }>(...compare)
    expect(policies.map(({ policy }) => policy)).toEqual(policyFamilies.map(({ name }) => name))
  })
})

describe('a bundle without pooled features', () => {
  let plain: string

  beforeAll(async () => {
    plain = join(tiny.folder, 'plain.sluice')
    await attach(await writeTinyNetwork(tiny.folder, 'plain.onnx'), 'relu_1,relu_3', plain)
  })

  it('refuses policies that look at them and says how to mend it', async () => {
    const data = ['--data', tiny.unseen] as const
    for (const args of [
      ['calibrate', plain, ...data, '--max-drop', '5', '--policy', 'learned-features'],
      ['compare', plain, ...data, '--no-time', '--policy', 'learned-features'],
    ]) {
      const { status, stderr } = await runSluice(...args)
      expect(status).toBe(2)
      expect(stderr).toMatch(/'learned-features' looks at pooled features .* again with sluice attach --features/)
    }
  })

  it('has the other policies compared, and says which is left out', async () => {
    const args = ['--data', tiny.unseen, '--splits', '1', '--no-time'] as const
    const { stdout, stderr } = await runSluice('compare', plain, ...args)
    expect(stdout).toContain('learned-deeper')
    expect(stdout).not.toContain('learned-features')
    expect(stderr).toContain('Left out: learned-features, as the gates yield no pooled features')
  })

  it('exports the same file as one with them, whose own policy has no such file', async () => {
    const pooled = join(tiny.folder, 'export.sluice')
    await cp(join(tiny.folder, 'ONNX.sluice'), pooled, { recursive: true })
    const calibrate = ['--data', tiny.unseen, '--max-drop', '20', '--policy'] as const
    const files: Buffer[] = []
    for (const bundle of [plain, pooled]) {
      await runSluiceForJson('calibrate', bundle, ...calibrate, 'softmax')
      const out = `${bundle}.onnx`
      await runSluiceForJson('export', bundle, '--out', out)
      files.push(await readFile(out))
    }
    expect(files[0]?.equals(files[1] ?? Buffer.of())).toBe(true)
    await runSluiceForJson('calibrate', pooled, ...calibrate, 'learned-features')
    const refused = await runSluice('export', pooled, '--out', join(tiny.folder, 'refused.onnx'))
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain("'learned-features' cannot be written in ONNX operators")
  })
})
