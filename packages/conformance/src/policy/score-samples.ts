import {
  argmaxRows,
  type ClassScores,
  createGateRule,
  createThresholdPolicy,
  type ExitPolicy,
  type GateContext,
  type GateRule,
  type GateSample,
  type PolicyFamily,
  type PooledFeatures,
} from '@sluice/core'
import { createRandom, createRandomBatch } from '@sluice/core/reference'
import fc from 'fast-check'
import { selectFeatures, selectScores } from '../rows.ts'

/** What a gate is shown: its class scores, those of the gates in front, and pooled features. */
export interface GateInput {
  readonly scores: ClassScores
  readonly context: GateContext
}

/** The given rows of an input, in the given order; a copy. */
export function selectInput({ scores, context }: GateInput, rows: readonly number[]): GateInput {
  const earlier = context.earlier.map((each) => selectScores(each, rows))
  const features = context.features && selectFeatures(context.features, rows)
  return { scores: selectScores(scores, rows), context: { earlier, features } }
}

/**
 * What the last of a row of gates is shown.
 * @param features those of its rows; made up when absent
 */
export function createInput(gates: readonly ClassScores[], features?: PooledFeatures): GateInput {
  const scores = gates.at(-1)
  if (scores === undefined) throw new Error('an input needs a gate')
  return { scores, context: { earlier: gates.slice(0, -1), features: features ?? createFeatures(scores) } }
}

/** Pooled features that go with class scores: two per row, made of them, so that a row keeps its features in any batch. */
export function createFeatures({ data, rows, classCount }: ClassScores): PooledFeatures {
  const features = new Float32Array(2 * rows)
  for (let row = 0; row < rows; row++) {
    const [first = 0, last = 0] = [data[row * classCount], data[(row + 1) * classCount - 1]]
    features.set([Math.max(0, first), 1 + Math.abs(last)], 2 * row)
  }
  return { data: features, rows, width: 2 }
}

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

/** Extreme scores at a gate and at those in front; no two gates have the same row in the same place. */
export function createExtremeInput(classCount: number, earlierCount: number): GateInput {
  const scores = createExtremeScores(classCount)
  const shift = (by: number) => Array.from({ length: scores.rows }, (_, row) => (row + by) % scores.rows)
  const earlier = Array.from({ length: earlierCount }, (_, gate) => selectScores(scores, shift(gate + 1)))
  return { scores, context: { earlier, features: createFeatures(scores) } }
}

/** What `fit` may get at one gate: 60 rows of which about seven in ten are right. */
export function createGateSample(seed: number, classCount: number, earlierCount = 0): GateSample {
  const scores = createScores(seed, 60, classCount, 4)
  const random = createRandom(seed + 1)
  const targets = argmaxRows(scores).map((best) => (random() < 0.7 ? best : Math.floor(random() * classCount)))
  const weightNorms = Array.from({ length: classCount }, () => 0.5 + random())
  const earlier = Array.from({ length: earlierCount }, () => blur(scores, random))
  return { scores, targets, weightNorms, earlier, features: createFeatures(scores) }
}

/** Scores that often have the same highest class. */
function blur({ data, ...shape }: ClassScores, random: () => number): ClassScores {
  return { ...shape, data: data.map((value) => 0.6 * value + 4 * random()) }
}

/** What a gate is shown of a sample that it may be fitted on. */
export function describeInput({ scores, earlier = [], features }: GateSample): GateInput {
  return { scores, context: { earlier, features } }
}

/** The family's rule for a gate, fitted on a random sample and taken through JSON as in a bundle; it never fires. */
export function createFittedRule(family: PolicyFamily, classCount: number, earlierCount = 0, seed = 1): GateRule {
  const parameters = family.fit(createGateSample(seed, classCount, earlierCount))
  return createGateRule(family, JSON.parse(JSON.stringify(parameters)), Number.POSITIVE_INFINITY)
}

/** A threshold policy whose gates each let about half of the rows of a random sample leave. */
export function createFittedPolicy(family: PolicyFamily, classCount: number, gateCount: number): ExitPolicy {
  const gates = Array.from({ length: gateCount }, (_, gate) => createScores(gate + 100, 51, classCount, 4))
  const rules = gates.map((_, gate) => {
    const rule = createFittedRule(family, classCount, gate, gate)
    const { scores, context } = createInput(gates.slice(0, gate + 1))
    return { ...rule, threshold: chooseThreshold(rule.score(scores, context)) }
  })
  return createThresholdPolicy(family.name, rules)
}

/** A threshold that about half of the scores reach, and never all: none where they are all the same. */
export function chooseThreshold(scores: Float32Array): number {
  const sorted = scores.toSorted()
  const [least = 0, median = 0] = [sorted[0], sorted[scores.length >> 1]]
  return sorted.find((score) => score > least && score >= median) ?? Number.MAX_VALUE
}
