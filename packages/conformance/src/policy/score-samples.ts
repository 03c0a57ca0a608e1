import {
  argmaxRows,
  type ClassScores,
  createThresholdPolicy,
  type ExitPolicy,
  type ExitScore,
  type GateSample,
  type PolicyFamily,
} from '@sluice/core'
import { createRandom, createRandomBatch } from '@sluice/core/reference'
import fc from 'fast-check'

/** Random scores of one to eight rows at every gate of a network, from nearly equal to far apart. */
export function createGateScores(classCounts: readonly number[], gateCount: number): fc.Arbitrary<ClassScores[]> {
  return fc
    .record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 8 }),
      classCount: fc.constantFrom(...classCounts),
      scale: fc.constantFrom(0.01, 1, 10, 100),
    })
    .map(({ seed, rows, classCount, scale }) =>
      Array.from({ length: gateCount }, (_, gate) => createScores(seed + gate, rows, classCount, scale)),
    )
}

/** Random class scores evenly spread over `-scale..scale`. */
export function createScores(seed: number, rows: number, classCount: number, scale: number): ClassScores {
  const { data } = createRandomBatch(seed, rows, [classCount])
  return { data: data.map((value) => value * scale), rows, classCount }
}

/** Rows of scores that break careless arithmetic: huge, tiny, equal, and far apart. */
export function createExtremeScores(classCount: number): ClassScores {
  const fill = (value: number) => Array.from({ length: classCount }, () => value)
  const lead = (first: number, others: number) => fill(others).with(0, first)
  const rows = [
    ...[0, 1e4, -1e4, 1e-30].map(fill),
    ...[lead(1e4, -1e4), lead(-1e4, 1e4), lead(1e4, 0), lead(1e-30, 0), lead(0, -0)],
  ]
  return { data: Float32Array.from(rows.flat()), rows: rows.length, classCount }
}

/** What `fit` may get at one gate: 60 rows of which about seven in ten are right. */
export function createGateSample(seed: number, classCount: number): GateSample {
  const scores = createScores(seed, 60, classCount, 4)
  const random = createRandom(seed + 1)
  const targets = argmaxRows(scores).map((best) => (random() < 0.7 ? best : Math.floor(random() * classCount)))
  return { scores, targets, weightNorms: Array.from({ length: classCount }, () => 0.5 + random()) }
}

/** The family's exit score, fitted on a random sample and taken through JSON as in a bundle. */
export function createFittedScore(family: PolicyFamily, classCount: number, seed = 1): ExitScore {
  return family.createScore(JSON.parse(JSON.stringify(family.fit(createGateSample(seed, classCount)))))
}

/** A threshold policy whose gates each let about half of the rows of a random sample leave. */
export function createFittedPolicy(family: PolicyFamily, classCount: number, gateCount: number): ExitPolicy {
  const rules = Array.from({ length: gateCount }, (_, gate) => {
    const score = createFittedScore(family, classCount, gate)
    const values = score(createScores(gate + 100, 51, classCount, 4)).toSorted()
    return { score, threshold: values[25] ?? 0 }
  })
  return createThresholdPolicy(family.name, rules)
}
