import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest } from './testing/read-manifest.ts'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyNetwork } from './testing/tiny-files.ts'
import { writeTinyTfjsModel } from './testing/tiny-tfjs-model.ts'
import { useTinyData } from './testing/use-tiny-data.ts'

const tiny = useTinyData('cascade')

describe.each([
  { format: 'ONNX', write: () => writeTinyNetwork(tiny.folder, 'tiny.onnx'), cuts: 'relu_1,relu_3,relu_5' },
  { format: 'TensorFlow.js', write: () => writeTinyTfjsModel(join(tiny.folder, 'tiny')), cuts: 'conv0,conv1,conv2' },
])('a cascade on a network in $format', ({ format, write, cuts }) => {
  it('is attached with the extra inputs, calibrated from the first gate on, and does what calibration says', async () => {
    const out = join(tiny.folder, `${format}.sluice`)
    const heads = ['--head', 'linear', '--pool', '2', '--cascade', '--survivors']
    const data = ['--data', tiny.training, ...tinyNormalisation]
    const attached = await runSluice('attach', await write(), ...data, '--out', out, '--at', cuts, ...heads)
    expect(attached.status, attached.stderr).toBe(0)
    const { stages } = await readManifest(out)
    expect(stages.map(({ scoresInput }) => scoresInput)).toEqual([
      undefined,
      'sluice/gate_0/scores',
      'sluice/gate_1/scores',
      undefined,
    ])
    const features = 8 * 2 * 2 * 2
    expect(stages.map(({ macs }) => macs.head)).toEqual([features * 4, (features + 4) * 4, (features + 4) * 4, 0])

    interface Calibrated {
      readonly thresholds: readonly (number | null)[]
      readonly tuning: { readonly drop: number; readonly macsSaved: number }
    }
    const options = ['--data', tiny.unseen] as const
    const { thresholds, tuning } = await runSluiceForJson<Calibrated>('calibrate', out, ...options, '--max-drop', '25')
    const on = thresholds.filter((threshold) => threshold !== null).length
    expect(on).toBeGreaterThan(0)
    expect(thresholds.slice(0, on)).not.toContain(null)
    const { drop, macsSaved } = await runSluiceForJson<Calibrated['tuning']>('evaluate', out, ...options)
    expect(drop).toBeCloseTo(tuning.drop, 9)
    expect(macsSaved).toBeCloseTo(tuning.macsSaved, 9)
    expect(macsSaved).toBeGreaterThan(0)
  })
})
