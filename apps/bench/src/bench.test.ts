import type { StagedModel } from '@sluice/core'
import {
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
} from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { bench } from './bench.ts'
import type { PlainNetworks } from './plain-networks.ts'
import { useFakeClock } from './testing/fake-clock.ts'

const clock = useFakeClock()

const dataset: Dataset = {
  name: 'zeros',
  size: 10,
  classes: [],
  sampleShape: [2],
  read: async ({ length }) => ({ images: new Float32Array(2 * length), labels: null, rows: length }),
}

/** A model of three stages, each of which takes 4 ms by the fake clock, whatever the rows. */
async function createTimedModel(): Promise<StagedModel> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [3, 3], classCount: 2 })
  const model = await createReferenceBackend().load(await createReferenceBundle(network))
  const { runStage } = model
  return {
    ...model,
    runStage: (index, activation) => {
      clock.nowMs += 4
      return runStage(index, activation)
    },
  }
}

interface TimedNetworks extends PlainNetworks {
  readonly released: () => number
  readonly runs: () => number
}

/**
 * Plain networks truncated behind each stage take these milliseconds; the last one is the whole network.
 * @param hintedMs of the hinted one; null where it is the very same, no such network when absent
 */
function createTimedNetworks(durations: readonly number[], hintedMs?: number | null): TimedNetworks {
  let released = 0
  let runs = 0
  const createNetwork = (ms: number) => ({
    async run() {
      runs++
      clock.nowMs += ms
      return { data: new Float32Array(0), rows: 0, classCount: 0 }
    },
    async release() {
      released++
    },
  })
  return {
    released: () => released,
    runs: () => runs,
    loadFull: async () => {
      throw new Error('The last truncated network is the whole one.')
    },
    loadTruncated: async () => durations.map(createNetwork),
    ...(hintedMs !== undefined && { loadHinted: async () => (hintedMs === null ? null : createNetwork(hintedMs)) }),
  }
}

describe('bench', () => {
  it('judges times against the full network and the ideal for the same exits', async () => {
    const model = await createTimedModel()
    const plain = createTimedNetworks([2, 5, 10])
    // Of each batch of four, two rows leave at the first gate and two at the second, so that the last stage never runs.
    const policy = createScriptedPolicy([0, 0, 1, 1])
    const options = { model, policy, plain, dataset, batchSizes: [4], rows: 9, rounds: 3 }
    const { batch } = await bench(options)
    const [first, second, third] = model.network.stages.map(({ macs }) => macs.backbone + macs.head)
    const macs = ((first ?? 0) + (first ?? 0) + (second ?? 0)) / 2
    const fullMacs = model.network.stages.reduce((sum, stage) => sum + stage.macs.backbone, 0)
    expect(third).toBeGreaterThan(0)
    expect(batch).toEqual([
      {
        size: 4,
        full: { median: 10, min: 10, max: 10 },
        gated: { median: 8, min: 8, max: 8 },
        noExit: { median: 12, min: 12, max: 12 },
        timeSaved: expect.closeTo(1 - 8 / 10, 12),
        macsSaved: expect.closeTo(1 - macs / fullMacs, 12),
        idealTimeSaved: expect.closeTo(1 - (0.5 * 2 + 0.5 * 5) / 10, 12),
        overhead: expect.closeTo(12 / 10 - 1, 12),
      },
    ])
    expect(plain.released()).toBe(3)
  })

  it('times the hinted and the fused networks beside, without a change to the other figures', async () => {
    const options = { model: await createTimedModel(), policy: createScriptedPolicy([0, 1]), dataset }
    const asked = { ...options, batchSizes: [4], rows: 9, rounds: 3 }
    const plain = createTimedNetworks([2, 5, 10], 9)
    const [gated, noExit] = await createTimedNetworks([7, 11]).loadTruncated()
    if (gated === undefined || noExit === undefined) throw new Error('Two networks were made.')
    const { batch } = await bench({ ...asked, plain, fused: { gated, noExit } })
    const [without] = (await bench({ ...asked, plain: createTimedNetworks([2, 5, 10]) })).batch
    expect(batch).toEqual([
      {
        ...without,
        fullHinted: { median: 9, min: 9, max: 9 },
        fused: {
          gated: { median: 7, min: 7, max: 7 },
          noExit: { median: 11, min: 11, max: 11 },
          timeSaved: expect.closeTo(1 - 7 / 10, 12),
          overhead: expect.closeTo(11 / 10 - 1, 12),
        },
      },
    ])
    expect(plain.released()).toBe(4)
  })

  it('times the stages one by one beside the fused network where the backend decides the gates', async () => {
    const policy = createScriptedPolicy([0, 0, 1, 1])
    const gate = { score: 'scores', threshold: 0.5 } as const
    const inTurns: StagedModel = await createTimedModel()
    const model: StagedModel = {
      ...inTurns,
      joinGates:
        ({ gates }) =>
        async ({ dims: [rows = 0] }) => {
          clock.nowMs += gates.some((one) => one?.threshold === gate.threshold) ? 3 : 6
          const scores = { data: new Float32Array(2 * rows), rows, classCount: 2 }
          return { scores, exits: new Uint32Array(rows) }
        },
    }
    const [gated, noExit] = await createTimedNetworks([7, 11]).loadTruncated()
    if (gated === undefined || noExit === undefined) throw new Error('Two networks were made.')
    const { batch } = await bench({
      model,
      policy: { ...policy, expression: { gates: [gate, gate] } },
      plain: createTimedNetworks([2, 5, 10]),
      dataset,
      batchSizes: [4],
      rows: 8,
      rounds: 3,
      fused: { gated, noExit },
    })
    expect(batch[0]).toMatchObject({
      gated: { median: 3 },
      noExit: { median: 6 },
      staged: {
        gated: { median: 8 },
        noExit: { median: 12 },
        timeSaved: expect.closeTo(0.2, 12),
        overhead: expect.closeTo(0.2, 12),
      },
      fused: { gated: { median: 7 } },
    })
  })

  it('times another gated network in the same rounds', async () => {
    const model = await createTimedModel()
    const { batch } = await bench({
      model,
      policy: createScriptedPolicy([0, 0, 1, 1]),
      plain: createTimedNetworks([2, 5, 10]),
      dataset,
      batchSizes: [4],
      rows: 8,
      rounds: 3,
      rival: { model, policy: createScriptedPolicy([0, 0, 0, 0]) },
    })
    const [first] = model.network.stages.map(({ macs }) => macs.backbone + macs.head)
    const fullMacs = model.network.stages.reduce((sum, stage) => sum + stage.macs.backbone, 0)
    expect(batch[0]?.against).toEqual({
      gated: { median: 4, min: 4, max: 4 },
      timeSaved: expect.closeTo(0.6, 12),
      macsSaved: expect.closeTo(1 - (first ?? 0) / fullMacs, 12),
      ratio: expect.closeTo(2, 12),
    })
  })

  it('tells nothing of a hinted network that would be the plain one', async () => {
    const options = { model: await createTimedModel(), policy: createScriptedPolicy([]), dataset }
    const plain = createTimedNetworks([2, 5, 10], null)
    const { batch } = await bench({ ...options, plain, batchSizes: [4], rows: 4, rounds: 1 })
    expect(batch[0]).not.toHaveProperty('fullHinted')
    expect(plain.released()).toBe(3)
  })

  it('runs fewer rows and rounds where they would not fit into the limit', async () => {
    const plain = createTimedNetworks([2, 5, 10])
    const options = { model: await createTimedModel(), policy: createScriptedPolicy([]), plain, dataset }
    await bench({ ...options, batchSizes: [2], rows: 10, rounds: 9, limitMs: 100 })
    // A round takes 12 + 12 + 2 + 5 + 10 = 41 ms: the one that tells so, one before those that count, and one that counts.
    expect(plain.runs()).toBe(3 * 3)
  })

  it('refuses a batch larger than the data, and frees the plain networks', async () => {
    const plain = createTimedNetworks([2, 5, 10], 9)
    const policy = createScriptedPolicy([])
    const options = { model: await createTimedModel(), policy, plain, dataset }
    const run = bench({ ...options, batchSizes: [11], rows: 11, rounds: 1 })
    await expect(run).rejects.toThrow('zeros has 10 samples, too few for a batch of 11')
    expect(plain.released()).toBe(4)
  })

  it('frees the plain networks when the hinted one cannot be loaded', async () => {
    const plain = createTimedNetworks([2, 5, 10])
    const loadHinted = () => Promise.reject(new Error('out of memory'))
    const options = { model: await createTimedModel(), policy: createScriptedPolicy([]), dataset }
    const run = bench({ ...options, plain: { ...plain, loadHinted }, batchSizes: [4], rows: 4, rounds: 1 })
    await expect(run).rejects.toThrow('out of memory')
    expect(plain.released()).toBe(3)
  })
})
