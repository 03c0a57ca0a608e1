import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyData, writeTinyNetwork } from './testing/tiny-files.ts'

let folder: string
let bundle: string
let unseen: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-policies-'))
  const network = await writeTinyNetwork(folder, 'tiny.onnx')
  const training = await writeTinyData(folder, 'training', { rows: 1500, seed: 1 })
  unseen = await writeTinyData(folder, 'unseen', { rows: 400, seed: 2 })
  bundle = join(folder, 'tiny.sluice')
  const attach = ['attach', network, '--data', training, '--out', bundle, ...tinyNormalisation, '--head', 'linear']
  const { status, stderr } = await runSluice(...attach, '--at', 'relu_1,relu_3')
  expect(status, stderr).toBe(0)
})

afterAll(() => rm(folder, { recursive: true }))

interface Figures {
  readonly drop: number
  readonly macsSaved: number
  readonly exits: readonly { readonly share: number; readonly accuracy: number }[]
}

describe.each([
  ['patience', '40'],
  ['ensemble', '20'],
])('the policy %s, which looks at earlier gates', (policy, maxDrop) => {
  let calibrated: string
  let tuning: Figures

  beforeAll(async () => {
    calibrated = join(folder, `${policy}.sluice`)
    await cp(bundle, calibrated, { recursive: true })
    const calibrate = ['calibrate', calibrated, '--data', unseen, '--max-drop', maxDrop, '--policy', policy]
    tuning = (await runSluiceForJson<{ tuning: Figures }>(...calibrate)).tuning
  })

  it('does in the runner what it was calibrated to do', async () => {
    expect(tuning.macsSaved).toBeGreaterThan(0)
    for (const batch of ['1', '64']) {
      const figures = await runSluiceForJson<Figures>('evaluate', calibrated, '--data', unseen, '--batch', batch)
      expect(figures.drop).toBeCloseTo(tuning.drop, 9)
      expect(figures.macsSaved).toBeCloseTo(tuning.macsSaved, 9)
    }
  })

  it('reports the accuracy of what rows answer with', async () => {
    const data = ['--data', unseen] as const
    const { exits } = await runSluiceForJson<Figures>('evaluate', calibrated, ...data)
    const out = join(folder, `${policy}.html`)
    await runSluiceForJson('report', calibrated, ...data, '--out', out)
    const page = await readFile(out, 'utf8')
    const accuracies = exits.filter(({ share }) => share > 0).map(({ accuracy }) => (100 * accuracy).toFixed(1))
    expect(accuracies.length).toBeGreaterThan(1)
    for (const accuracy of accuracies) expect(page).toContain(`<td>${accuracy}&nbsp;%</td>`)
  })

  it('predicts', async () => {
    const image = join(folder, 'image.png')
    const pixels = Uint8Array.from({ length: 192 }, (_, i) => i)
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } }).toFile(image)
    const { status, stderr } = await runSluice('predict', calibrated, image)
    expect(status, stderr).toBe(0)
  })
})
