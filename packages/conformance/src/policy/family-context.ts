import type { GateRule, GateSample, PolicyFamily } from '@sluice/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { SuiteCase } from '../suite.ts'
import { createFittedRule, createGateSample, createGateScores, createInput, type GateInput } from './score-samples.ts'

/** What every case on a family works with. */
export interface FamilyContext {
  readonly family: PolicyFamily
  readonly classCounts: readonly number[]
  /** Families that look at earlier gates are tried at each gate of so many; others at the first one. */
  readonly gateCount: number
  /** Random score sets per property. */
  readonly runs: number
}

export type FamilyCase = SuiteCase<FamilyContext>

/** A property of a fitted rule, checked at every gate on random class scores. */
export function checkInputs(
  context: FamilyContext,
  check: (rule: GateRule, input: GateInput, earlierCount: number) => void,
): void {
  for (const earlierCount of countEarlierGates(context)) {
    const { family, classCounts, runs } = context
    const rules = new Map(classCounts.map((count) => [count, createFittedRule(family, count, earlierCount)]))
    const property = fc.property(createGateScores(classCounts, earlierCount + 1), (gates) => {
      const input = createInput(gates)
      check(rules.get(input.scores.classCount) ?? expect.unreachable(), input, earlierCount)
    })
    fc.assert(property, { seed: 20181103, numRuns: runs })
  }
}

/** Every number of classes at every gate. */
export function forEachGate(context: FamilyContext, check: (classCount: number, earlierCount: number) => void): void {
  for (const earlierCount of countEarlierGates(context)) {
    for (const classCount of context.classCounts) check(classCount, earlierCount)
  }
}

/** A sample to fit on for every number of classes at every gate. */
export function forEachSample(context: FamilyContext, check: (sample: GateSample) => void): void {
  forEachGate(context, (classCount, earlierCount) => check(createGateSample(11, classCount, earlierCount)))
}

function countEarlierGates({ family, gateCount }: FamilyContext): number[] {
  return family.usesEarlierGates ? [...Array(gateCount).keys()] : [0]
}

/** Rounding in float32 may carry a score this far beyond an end of its family's range, relative to max(1, |end|). */
const rangeTolerance = 1e-6

/** The rule's scores of the input are one finite number per row within the family's range. */
export function expectValidScores({ range: [low, high] }: PolicyFamily, { score }: GateRule, input: GateInput): void {
  const values = score(input.scores, input.context)
  expect(values).toBeInstanceOf(Float32Array)
  expect(values.length).toBe(input.scores.rows)
  for (const value of values) {
    expect(Number.isFinite(value), `${value} is finite`).toBe(true)
    expect(value).toBeGreaterThanOrEqual(low - rangeTolerance * Math.max(1, Math.abs(low)))
    expect(value).toBeLessThanOrEqual(high + rangeTolerance * Math.max(1, Math.abs(high)))
  }
}
