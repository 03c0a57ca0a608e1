import { createExitTable, findExits, fitEndParameters, fitGateParameters, listRight } from '@sluice/calibration'
import { type BundleManifest, createGatedModel, InvalidArgumentError, type Tensor } from '@sluice/core'
import {
  createRandom,
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
} from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { countMacsCost } from './calibrate.ts'
import { createBundlePolicy, findPolicyFamily, policyFamilies } from './policies.ts'
import { collectScores } from './score-cache.ts'
import { createMemoryDataset } from './testing/memory-dataset.ts'

const rows = 300
const network = createRandomReferenceNetwork({
  seed: 9,
  inputShape: [30],
  cutWidths: [12, 12, 12],
  classCount: 3,
  features: true,
})
const batch = createRandomBatch(10, rows, [30])
const random = createRandom(11)
const labels = Int32Array.from({ length: rows }, () => Math.floor(3 * random()))
const dataset = createMemoryDataset(batch.data, [30], labels, 3)

/**
 * About half of the rows would leave at every gate but the second one, which is on and lets none go. Half way between two
 * scores, since who computes them by an expression rounds otherwise.
 */
function chooseThresholds(scores: readonly Float32Array[]): number[] {
  return scores.map((values, gate) => {
    const sorted = values.toSorted()
    const median = sorted[rows / 2] as number
    const place = sorted.findIndex((value) => value >= median && value > (sorted[0] as number))
    const [below, above] = [sorted[place - 1], sorted[place]]
    if (gate === 1 || below === undefined || above === undefined) return Number.MAX_VALUE
    return (below + above) / 2
  })
}

it.each(policyFamilies.map((family) => [family.name, family] as const))(
  'the policy %s does in the runner what the exit table says, all rows at once or one by one',
  async (name, family) => {
    const bundle = await createReferenceBundle(network)
    const model = await createReferenceBackend().load(bundle)
    const cache = await collectScores(model, bundle.manifest, dataset, { families: [family] })
    const parameters = fitGateParameters(cache, family)
    const end = fitEndParameters(cache, family)
    const table = createExitTable(cache, family, parameters, countMacsCost(bundle.manifest), end)
    const thresholds = chooseThresholds(table.gates.map(({ scores }) => scores))
    const gates = bundle.manifest.gates.map((gate, index) => {
      const policy = { name, parameters: parameters[index], threshold: thresholds[index] }
      return { ...gate, policy }
    })
    const manifest: BundleManifest = JSON.parse(
      JSON.stringify({ ...bundle.manifest, gates, ...(end !== null && { endPolicy: { name, parameters: end } }) }),
    )
    const gated = createGatedModel({ model, policy: createBundlePolicy(manifest) })
    const { classes, exits } = await gated.predict(batch)
    expect(Array.from(exits)).toEqual(Array.from(findExits(table, thresholds)))
    expect(new Set(exits).size).toBeGreaterThan(1)
    for (const [row, exit] of exits.entries()) {
      expect(classes[row] === labels[row] ? 1 : 0).toBe(listRight(table)[exit]?.[row])
      const image: Tensor<'float32'> = { ...batch, dims: [1, 30], data: batch.data.slice(30 * row, 30 * (row + 1)) }
      const alone = await gated.predict(image)
      expect([alone.exits[0], alone.classes[0]]).toEqual([exit, classes[row]])
    }
    await model.dispose()
  },
)

it('refuses an end that its policy does not answer, and leaves it alone where every gate is off', async () => {
  const { manifest } = await createReferenceBundle(network)
  const endPolicy = { name: 'softmax', parameters: {} }
  const [first, ...others] = manifest.gates
  const policy = { name: 'softmax', parameters: { temperature: 1 }, threshold: 0.5 }
  const gates = [{ ...first, policy }, ...others] as BundleManifest['gates']
  expect(() => createBundlePolicy({ ...manifest, gates, endPolicy })).toThrow('answers at gates alone')
  expect(createBundlePolicy({ ...manifest, endPolicy }).finish).toBeUndefined()
})

it('knows every policy by a name of its own, and no other', () => {
  expect(new Set(policyFamilies.map(({ name }) => name)).size).toBe(policyFamilies.length)
  expect(() => findPolicyFamily('guess')).toThrow(InvalidArgumentError)
})
