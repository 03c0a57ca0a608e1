import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest } from './testing/read-manifest.ts'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyNetwork } from './testing/tiny-files.ts'
import { writeTinyTfjsModel } from './testing/tiny-tfjs-model.ts'
import { useTinyData } from './testing/use-tiny-data.ts'

const tiny = useTinyData('convolutional')

const heads = ['--head', 'conv', '--pool', '4', '--channels', '5,6', '--hidden', '7']

describe.each([
  { format: 'ONNX', write: () => writeTinyNetwork(tiny.folder, 'tiny.onnx'), cuts: 'relu_1,relu_3' },
  { format: 'TensorFlow.js', write: () => writeTinyTfjsModel(join(tiny.folder, 'tiny')), cuts: 'conv0,conv1' },
])('heads that convolve on a network in $format', ({ format, write, cuts }) => {
  it('are attached in cascade, calibrated, and do what calibration and their fit say', async () => {
    const out = join(tiny.folder, `${format}.sluice`)
    const data = ['--data', tiny.training, ...tinyNormalisation]
    const attached = await runSluice(
      'attach',
      await write(),
      ...data,
      '--out',
      out,
      '--at',
      cuts,
      ...heads,
      '--cascade',
    )
    expect(attached.status, attached.stderr).toBe(0)
    const { stages, gates } = await readManifest(out)
    const pooled = 2 * 8
    const convolutions = 4 * 9 * pooled * 5 + 9 * 5 * 6
    const due = [convolutions + 6 * 7 + 7 * 4, convolutions + (6 + 4) * 7 + 7 * 4, 0]
    expect(stages.map(({ macs }) => macs.head)).toEqual(due)
    for (const { head } of gates) {
      expect(head).toMatchObject({ kind: 'convolutional', channels: [5, 6], hidden: 7 })
      expect(head.fitAccuracy).toBeGreaterThan(0.3)
    }

    interface Calibrated {
      readonly thresholds: readonly (number | null)[]
      readonly tuning: { readonly drop: number; readonly macsSaved: number }
    }
    const options = ['--data', tiny.unseen] as const
    const { tuning } = await runSluiceForJson<Calibrated>('calibrate', out, ...options, '--max-drop', '25')
    const { drop, macsSaved } = await runSluiceForJson<Calibrated['tuning']>('evaluate', out, ...options)
    expect(drop).toBeCloseTo(tuning.drop, 9)
    expect(macsSaved).toBeCloseTo(tuning.macsSaved, 9)
    expect(macsSaved).toBeGreaterThan(0)
  })
})

it('stand where cheap heads on coarser maps place them, and nowhere but on maps', async () => {
  const network = await writeTinyNetwork(tiny.folder, 'placed.onnx')
  const out = join(tiny.folder, 'placed.sluice')
  const data = ['--data', tiny.training, ...tinyNormalisation, '--out', out, '--pool', '8', '--placement-drop', '50']
  const attached = await runSluice('attach', network, ...data, '--gates', 'auto', '--head', 'conv', '--channels', '5')
  expect(attached.status, attached.stderr).toBe(0)
  const { gates, stages } = await readManifest(out)
  expect(gates.length).toBeGreaterThan(0)
  for (const { head } of gates) expect(head).toMatchObject({ kind: 'convolutional', channels: [5], hidden: 128 })
  for (const { outputShape } of stages.slice(0, -1)) expect(outputShape).toHaveLength(3)
})

it('refuses channels that no convolution can have', async () => {
  const network = await writeTinyNetwork(tiny.folder, 'refused.onnx')
  const out = join(tiny.folder, 'refused.sluice')
  const data = ['--data', tiny.training, ...tinyNormalisation]
  const refused = await runSluice('attach', network, ...data, '--out', out, ...heads, '--channels', '4,0')
  expect(refused.status, refused.stderr).toBe(2)
  expect(refused.stderr).toContain('--channels 4,0 is not a list of whole numbers from 1 on')
})
