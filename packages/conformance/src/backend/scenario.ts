import type { ClassScores, Tensor } from '@sluice/core'
import {
  computeReferenceScores,
  createRandomBatch,
  createRandomReferenceNetwork,
  type ReferenceNetwork,
} from '@sluice/core/reference'
import fc from 'fast-check'
import { getScoresRow } from '../rows.ts'

/** A network, a batch, and where each of its rows is to leave. */
export interface Scenario {
  readonly network: ReferenceNetwork
  readonly batch: Tensor<'float32'>
  /** One stage per row. */
  readonly exits: readonly number[]
}

/** Small random networks of one to four stages, with and without cascades and pooled features, with batches of one to six rows. */
export const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.nat(),
    inputShape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    cutWidths: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    classCount: fc.integer({ min: 1, max: 5 }),
    cascade: fc.boolean(),
    features: fc.boolean(),
    exitDraws: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ exitDraws, ...options }) => ({
    network: createRandomReferenceNetwork(options),
    batch: createRandomBatch(options.seed + 1, exitDraws.length, options.inputShape),
    exits: exitDraws.map((draw) => draw % (options.cutWidths.length + 1)),
  }))

/** A scenario with one of its rows picked. */
export const scenariosWithRow: fc.Arbitrary<Scenario & { readonly row: number }> = scenarios.chain((scenario) =>
  fc.nat({ max: scenario.exits.length - 1 }).map((row) => ({ ...scenario, row })),
)

/** A scenario with some of its rows in random order. */
export const scenariosWithOrder: fc.Arbitrary<Scenario & { readonly order: readonly number[] }> = scenarios.chain(
  (scenario) =>
    fc.shuffledSubarray([...scenario.exits.keys()], { minLength: 1 }).map((order) => ({ ...scenario, order })),
)

/** One fixed scenario of three stages in cascade, with pooled features, and four rows, for cases that need no randomness. */
export function createExample(): Scenario {
  return {
    network: createRandomReferenceNetwork({
      seed: 5,
      inputShape: [2, 3],
      cutWidths: [5, 4],
      classCount: 3,
      cascade: true,
      features: true,
    }),
    batch: createRandomBatch(6, 4, [2, 3]),
    exits: [1, 0, 2, 1],
  }
}

/** The scores that each row must leave with, in row order. */
export function computeExitScores({ network, batch, exits }: Scenario): ClassScores {
  const stages = computeReferenceScores(network, batch)
  const classCount = stages[0]?.classCount ?? 0
  const data = new Float32Array(exits.length * classCount)
  exits.forEach((stage, row) => {
    const scores = stages[stage]
    if (scores !== undefined) data.set(getScoresRow(scores, row), row * classCount)
  })
  return { data, rows: exits.length, classCount }
}
