import { InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { describe, expect, it } from 'vitest'
import { type ExitTable, selectGates, selectSamples } from '../exit-table.ts'
import { generateTable } from '../generated-table.ts'
import { countPathLosses } from '../guarantee/path-losses.ts'
import { createLevelPath } from '../level-path.ts'
import { proposeSaferThresholds } from './propose-thresholds.ts'

/** Without labels: the full network is right everywhere, and a gate where it agrees. */
function withoutLabels(table: ExitTable): ExitTable {
  const agreement = (right: Uint8Array) => right.map((value, row) => (value === table.finalRight[row] ? 1 : 0))
  return {
    ...table,
    gates: table.gates.map((gate) => ({ ...gate, right: agreement(gate.right) })),
    finalRight: new Uint8Array(table.samples).fill(1),
  }
}

const range = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, index) => from + index)
const generated = withoutLabels(generateTable({ samples: 9000, gates: 3, random: createRandom(8) }))
const path = createLevelPath(selectSamples(generated, range(0, 1000)))
const thresholdsAt = (step: number) => path.thresholds.map((values) => values[step] as number)

/** After the change every gate is wrong on a further tenth of the rows. */
const random = createRandom(9)
const spoilt = Array.from({ length: 9000 }, () => random() < 0.1)
const drifted: ExitTable = {
  ...generated,
  gates: generated.gates.map((gate) => ({ ...gate, right: gate.right.map((value, row) => (spoilt[row] ? 0 : value)) })),
}
const everywhere = countPathLosses(drifted, path)
const riskAt = (step: number) => (everywhere.harmed[step] as number) / drifted.samples
const bound = 0.05
const inForce = 700

function propose(rows: number, confidence?: number) {
  const picked = Uint32Array.from({ length: rows }, () => Math.floor(random() * drifted.samples))
  const options = { thresholds: thresholdsAt(inForce), bound, confidence }
  return proposeSaferThresholds(selectSamples(drifted, picked), path, options)
}

describe('on rows from after a change that broke the guarantee', () => {
  it('the thresholds in force are over the bound', () => {
    expect(riskAt(inForce)).toBeGreaterThan(1.5 * bound)
  })

  it('with a confidence the proposal keeps the bound in all but a share of the draws, and still fires', () => {
    const steps = Array.from({ length: 200 }, () => propose(500, 0.9).step)
    expect(steps.filter((step) => riskAt(step) > bound).length).toBeLessThanOrEqual(20 + 3 * Math.sqrt(18))
    expect(steps.filter((step) => step > 0).length).toBeGreaterThan(190)
  })

  it('without one it keeps the bound on average, and fires on as few rows as an alarm brings', () => {
    const risks = Array.from({ length: 400 }, () => riskAt(propose(60).step))
    const mean = risks.reduce((sum, risk) => sum + risk, 0) / risks.length
    expect(mean).toBeLessThan(bound)
    expect(mean).toBeGreaterThan(0.2 * bound)
  })

  it('nothing fires where there are too few rows to show anything', () => {
    for (const proposal of [propose(18), propose(58, 0.95)]) {
      expect(proposal).toEqual({ step: 0, thresholds: [Infinity, Infinity, Infinity], losses: 0 })
    }
  })
})

it('on rows without a loss it stays at the thresholds in force, and goes no further', () => {
  const flawless = { ...generated, gates: generated.gates.map((gate) => ({ ...gate, right: generated.finalRight })) }
  const thresholds = thresholdsAt(inForce)
  const proposal = proposeSaferThresholds(flawless, path, { thresholds, bound: 0.01, confidence: 0.95 })
  expect(proposal.thresholds).toEqual(thresholds)
  expect(proposal.losses).toBe(0)
})

it('tells the losses that the audited rows would have under it', () => {
  const rows = selectSamples(drifted, range(2000, 2400))
  const { step, losses } = proposeSaferThresholds(rows, path, { thresholds: thresholdsAt(inForce), bound: 0.1 })
  expect(step).toBeGreaterThan(0)
  expect(losses).toBe(countPathLosses(rows, path).harmed[step])
})

it('refuses thresholds that do not fit the path, and bounds that are none', () => {
  const thresholds = thresholdsAt(inForce)
  expect(() => proposeSaferThresholds(drifted, path, { thresholds: [1], bound })).toThrow(ShapeMismatchError)
  const fewer = selectGates(drifted, [0, 2])
  expect(() => proposeSaferThresholds(fewer, path, { thresholds: [1, 1], bound })).toThrow(ShapeMismatchError)
  for (const off of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const options = { thresholds: [off, 1, 1], bound }
    expect(() => proposeSaferThresholds(drifted, path, options)).toThrow(`gate 0 is ${off}`)
  }
  expect(() => proposeSaferThresholds(drifted, path, { thresholds, bound: 0 })).toThrow(InvalidArgumentError)
})

it('refuses rows that are answered otherwise at the end, which no threshold makes safer', () => {
  const revised = { ...drifted, endRight: drifted.finalRight }
  const options = { thresholds: thresholdsAt(inForce), bound }
  expect(() => proposeSaferThresholds(revised, path, options)).toThrow('leaves the end alone')
})
