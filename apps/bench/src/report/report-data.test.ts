import { createBundlePolicy } from '@sluice/app-train'
import { createGatedModel } from '@sluice/core'
import {
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
} from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { collectReportData, type ReportOptions } from './report-data.ts'

const rows = 60
const shape = [1, 2, 3]
const network = createRandomReferenceNetwork({ seed: 5, inputShape: shape, cutWidths: [4, 4], classCount: 3 })
const batch = createRandomBatch(6, rows, shape)
const labels = Int32Array.from({ length: rows }, (_, row) => row % 3)

const dataset: Dataset = {
  name: 'drawn',
  size: rows,
  classes: ['a', 'b', 'c'],
  sampleShape: shape,
  read: async (indices) => {
    const images = new Float32Array(indices.length * 6)
    Array.from(indices).forEach((index, row) => {
      images.set(batch.data.subarray(6 * index, 6 * index + 6), 6 * row)
    })
    return { images, labels: Int32Array.from(indices, (index) => labels[index] ?? 0), rows: indices.length }
  },
}

/** A bundle with the given thresholds on its two gates; pictures are their first pixel as text. */
async function createOptions(thresholds: readonly (number | null)[]): Promise<ReportOptions> {
  const bundle = await createReferenceBundle(network)
  const gates = bundle.manifest.gates.map((gate, index) => ({
    ...gate,
    policy: { name: 'softmax', parameters: { temperature: 1 }, threshold: thresholds[index] ?? null },
  }))
  return {
    model: await createReferenceBackend().load(bundle),
    manifest: { ...bundle.manifest, gates },
    dataset,
    drawSample: async (pixels) => `pixel ${pixels[0]}`,
  }
}

describe('collectReportData', () => {
  it('tells the exits that the gated network takes, by exit and by class', async () => {
    const options = await createOptions([0.41, 0.43])
    const report = await collectReportData(options)
    const gated = createGatedModel({ model: options.model, policy: createBundlePolicy(options.manifest) })
    const { exits, classes, macs } = await gated.predict(batch)
    const share = (isCounted: (row: number) => boolean, isAmong: (row: number) => boolean = () => true) => {
      const among = [...labels.keys()].filter(isAmong)
      return among.filter(isCounted).length / among.length
    }
    const isRight = (row: number) => classes[row] === labels[row]
    for (const exit of [0, 1, 2]) {
      const leaves = (row: number) => exits[row] === exit
      expect(share(leaves)).toBeGreaterThan(0)
      expect(report.exitShares[exit]).toBeCloseTo(share(leaves), 12)
      expect(report.exitAccuracies[exit]).toBeCloseTo(share(isRight, leaves), 12)
      report.classes.forEach(({ exitShares }, label) => {
        expect(exitShares[exit]).toBeCloseTo(
          share(leaves, (row) => labels[row] === label),
          12,
        )
      })
    }
    expect(report.point.accuracy).toBeCloseTo(share(isRight), 12)
    const meanMacs = macs.reduce((sum, value) => sum + value, 0) / rows
    expect(report.point.saved).toBeCloseTo(1 - meanMacs / report.fullMacs, 12)
    expect(report).toMatchObject({ dataName: 'drawn', samples: rows, policy: 'softmax' })
  })

  it('counts the answers that an ensemble gives at the gates and at the end', async () => {
    const options = await createOptions([0.4, 0.4])
    const weigh = (count: number) => ({ weights: new Array(count).fill(1), bias: [0.3, 0, -0.3] })
    const gates = options.manifest.gates.map((gate, index) => {
      const parameters = { ...weigh(index + 1), base: { temperature: 1 } }
      return { ...gate, policy: { name: 'ensemble', parameters, threshold: 0.5 } }
    })
    const endPolicy = { name: 'ensemble', parameters: weigh(3) }
    const manifest = { ...options.manifest, gates, endPolicy }
    const { point, exitAccuracies } = await collectReportData({ ...options, manifest })
    const gated = createGatedModel({ model: options.model, policy: createBundlePolicy(manifest) })
    const { exits, classes } = await gated.predict(batch)
    expect(new Set(exits).size).toBe(3)
    const isRight = (row: number) => classes[row] === labels[row]
    expect(point.accuracy).toBeCloseTo([...labels.keys()].filter(isRight).length / rows, 12)
    const atEnd = [...exits.keys()].filter((row) => exits[row] === 2)
    expect(exitAccuracies[2]).toBeCloseTo(atEnd.filter(isRight).length / atEnd.length, 12)
  })

  it('shows for each gate that fired its easiest images first and its hardest, no image of another exit', async () => {
    const options = await createOptions([0.4, null])
    const { examples } = await collectReportData(options)
    const gated = createGatedModel({ model: options.model, policy: createBundlePolicy(options.manifest) })
    const { exits, scores } = await gated.predict(batch)
    const confidence = (row: number) => {
      const powers = [0, 1, 2].map((label) => Math.exp(scores.data[3 * row + label] ?? 0))
      return Math.max(...powers) / powers.reduce((sum, power) => sum + power, 0)
    }
    const leaving = [...exits.keys()].filter((row) => exits[row] === 0).sort((a, b) => confidence(b) - confidence(a))
    const pictures = leaving.map((row) => `pixel ${batch.data[6 * row]}`)
    expect(examples.map(({ title }) => title)).toEqual([`Exit 0: ${leaving.length} images`])
    expect(examples[0]?.easiest.map(({ uri }) => uri)).toEqual(pictures.slice(0, 10))
    expect(examples[0]?.hardest.map(({ uri }) => uri)).toEqual(pictures.slice(-10).reverse())
  })

  it('has no images of gates at which nothing leaves', async () => {
    expect((await collectReportData(await createOptions([1, 1]))).examples).toEqual([])
  })

  it('refuses data without labels, a bundle whose gates are off, and gates of several policies', async () => {
    await expect(collectReportData(await createOptions([null, null]))).rejects.toThrow('No gate of this bundle is on')
    const options = await createOptions([0.5, 0.5])
    const unlabelled = { ...options, dataset: { ...dataset, classes: [] } }
    await expect(collectReportData(unlabelled)).rejects.toThrow('drawn has no labels')
    const [first, ...others] = options.manifest.gates
    const mixed = others.map((gate) => ({ ...gate, policy: { ...gate.policy, name: 'entropy' } }))
    const manifest = { ...options.manifest, gates: first === undefined ? mixed : [first, ...mixed] }
    await expect(collectReportData({ ...options, manifest })).rejects.toThrow('softmax, entropy')
  })
})
