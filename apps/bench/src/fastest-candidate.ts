import { createBundlePolicy, inputBatches, type WorkOptions } from '@sluice/app-train'
import {
  type Backend,
  type Bundle,
  type BundleManifest,
  createGatedModel,
  type GatedModel,
  InvalidArgumentError,
  type StagedModel,
  type Tensor,
} from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { removeIdleGates } from '@sluice/onnx-graph'
import { medianRatio, timeInTurns } from './paired-timing.ts'
import { warmUp } from './warm-up.ts'

/** Rows of a round, about: enough that its exit shares are near those of all data. */
const rowsPerRound = 256

/** All candidates run a few rounds; the leaders run more, which decide. */
const heatRounds = 7
const finalRounds = 31
const leaderCount = 4

/** Share of the plain network's time that each gate must save to stay on, so that of equals the fewest gates win. */
const leastGain = 0.001

export interface FastestCandidateOptions extends WorkOptions {
  readonly backend: Backend
  /** Where the candidates' stages are read from. */
  readonly source: Bundle
  /** Manifests of the source that differ in gates and thresholds; the first has no gate on and is the measure. */
  readonly candidates: readonly BundleManifest[]
  readonly dataset: Dataset
  /** Rows per run; times depend on it. */
  readonly batchSize: number
  /** Of the random order in which rows are taken from the data. */
  readonly seed: number
}

/**
 * Runs gated networks on the data in turns, other rows every round, and returns the index of the fastest candidate;
 * every gate that is on counts as 0.1 % of the plain network's time.
 *
 * @throws InvalidArgumentError for no candidates
 */
export async function findFastestCandidate(options: FastestCandidateOptions): Promise<number> {
  const { candidates, signal, onProgress } = options
  const entrants: Entrant[] = []
  try {
    for (const manifest of candidates) entrants.push(await createEntrant(options, manifest))
    const [plain] = entrants
    if (plain === undefined) throw new InvalidArgumentError('There are no candidates to time.')
    const rows = createRowSource(options)
    await rows.next()
    for (const { network } of entrants)
      for (const batch of rows.batches().slice(0, 1)) await warmUp(network, batch, signal)
    let done = 0
    const nextRows = async () => {
      onProgress?.({ phase: 'time', done: done++, total: heatRounds + finalRounds + 2, unit: 'rounds' })
      await rows.next()
    }
    /** The field, the fastest first; times are measured by its first entrant's. */
    const race = async (field: readonly Entrant[], rounds: number) => {
      const runs = field.map(({ network }) => async () => {
        for (const batch of rows.batches()) await network.predict(batch, { signal })
      })
      const times = await timeInTurns(runs, rounds, { signal, beforeRound: nextRows })
      const scores = new Map(
        field.map((entrant, turn) => [
          entrant,
          medianRatio(times[turn] ?? [], times[0] ?? []) + leastGain * entrant.gates,
        ]),
      )
      return field.toSorted((a, b) => (scores.get(a) ?? 0) - (scores.get(b) ?? 0))
    }
    const ranking = await race(entrants, heatRounds)
    const leaders = ranking.filter((entrant) => entrant !== plain).slice(0, leaderCount)
    const [winner] = await race([plain, ...leaders], finalRounds)
    return winner === undefined ? 0 : entrants.indexOf(winner)
  } finally {
    for (const { model } of entrants) await model.dispose()
  }
}

interface Entrant {
  readonly model: StagedModel
  readonly network: GatedModel
  /** Gates that are on. */
  readonly gates: number
}

async function createEntrant({ backend, source }: FastestCandidateOptions, manifest: BundleManifest): Promise<Entrant> {
  const { bundle } = await removeIdleGates({ ...source, manifest })
  const model = await backend.load(bundle)
  const network = createGatedModel({ model, policy: createBundlePolicy(bundle.manifest) })
  return { model, network, gates: bundle.manifest.gates.length }
}

/** Whole batches of the data in random order, from the start again when they are used up. */
function createRowSource({ source, dataset, batchSize, seed }: FastestCandidateOptions) {
  const shuffled = select(dataset, { shuffle: seed })
  const size = Math.min(batchSize, dataset.size)
  const perRound = Math.min(Math.ceil(rowsPerRound / size), Math.floor(dataset.size / size)) * size
  let current: Tensor<'float32'>[] = []
  let start = 0
  return {
    /** The rows of this round. */
    batches: () => current,
    async next() {
      if (start + perRound > shuffled.size) start = 0
      current = []
      const rows = select(shuffled, { skip: start, limit: perRound })
      for await (const { images } of inputBatches(rows, source.manifest.input, size)) current.push(images)
      start += perRound
    },
  }
}
