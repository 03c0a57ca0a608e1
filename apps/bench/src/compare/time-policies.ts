import { applyExitChoice, createBundlePolicy, type WorkOptions } from '@sluice/app-train'
import { type Backend, type Bundle, InvalidArgumentError } from '@sluice/core'
import { type Dataset, pickSamples } from '@sluice/datasets'
import { removeIdleGates } from '@sluice/onnx-graph'
import { type BatchBench, bench } from '../bench.ts'
import type { PlainNetworks } from '../plain-networks.ts'
import type { CompareResult, FamilyChoice } from './compare-policies.ts'
import type { Comparison } from './comparison.ts'

export interface TimePoliciesOptions extends WorkOptions {
  readonly backend: Backend
  /** With all gates that were compared. */
  readonly source: Bundle
  /** The same networks without gates, on the backend's engine with as many threads. */
  readonly plainNetworks: (bundle: Bundle) => PlainNetworks
  /** The data that the policies were compared on, in the same order. */
  readonly dataset: Dataset
  readonly batchSizes: readonly number[]
  /** Rows that every contender runs in a round. */
  readonly rows: number
  readonly rounds: number
}

/**
 * Checks, before the long work of a comparison, that the half of the samples that is judged fills the batches to be timed.
 * @throws InvalidArgumentError where it does not
 */
export function checkTimedBatches(batchSizes: readonly number[], samples: number): void {
  const judged = Math.floor(samples / 2)
  const size = batchSizes.find((candidate) => candidate > judged)
  if (size === undefined) return
  throw new InvalidArgumentError(
    `Half of the ${samples} samples are judged, too few for a timed batch of ${size}; pass more data, smaller sizes (--batch), or --no-time.`,
  )
}

/**
 * Adds to a comparison what every policy saves by the clock: `bench` runs what the first split chose for a drop of one
 * point, on samples that it judges.
 *
 * @throws InvalidArgumentError for a batch larger than the samples judged
 */
export async function timePolicies(
  { comparison, onePoint, judgedRows }: CompareResult,
  options: TimePoliciesOptions,
): Promise<Comparison> {
  const judged = { ...options, dataset: pickSamples(options.dataset, judgedRows) }
  const times: (readonly BatchBench[])[] = []
  for (const one of onePoint) {
    times.push(await timeChoice(one, judged))
    options.onProgress?.({ phase: 'time', done: times.length, total: onePoint.length, unit: 'policies' })
  }
  const policies = comparison.policies.map((policy, index) => ({ ...policy, time: times[index] ?? [] }))
  return { ...comparison, policies }
}

async function timeChoice(
  { family, choice }: FamilyChoice,
  { backend, source, plainNetworks, dataset, batchSizes, rows, rounds, signal }: TimePoliciesOptions,
): Promise<readonly BatchBench[]> {
  const manifest = applyExitChoice(source.manifest, choice, family)
  const { bundle } = await removeIdleGates({ ...source, manifest })
  const policy = createBundlePolicy(bundle.manifest, [family])
  const model = await backend.load(bundle)
  try {
    const plain = plainNetworks(bundle)
    const { batch } = await bench({
      model,
      policy,
      plain,
      dataset,
      batchSizes,
      rows,
      rounds,
      ...(signal && { signal }),
    })
    return batch
  } finally {
    await model.dispose()
  }
}
