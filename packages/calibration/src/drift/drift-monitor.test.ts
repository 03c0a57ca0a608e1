import { InvalidArgumentError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { describe, expect, it } from 'vitest'
import { createDriftMonitor, type DriftMonitor, type DriftState } from './drift-monitor.ts'

const bound = 0.02
const monitor = createDriftMonitor({ bound })
/** Sees as many audits in a shorter stream. */
const closeMonitor = createDriftMonitor({ bound, auditShare: 0.05 })

interface Run {
  readonly state: DriftState
  /** Losses of all rows, audited or not, up to the alarm or the end. */
  readonly spent: number
}

/** Streams rows in batches, each with a loss by the chance at its place, until the alarm or the end of the horizon. */
function stream(watch: DriftMonitor, seed: number, riskAt: (place: number) => number): Run {
  const random = createRandom(seed)
  let state = watch.init(seed)
  let spent = 0
  while (state.alarm === null && state.rows < watch.horizonRows) {
    const start = state.rows
    const selection = watch.selectAudits(state, 250)
    const losses = Uint8Array.from({ length: 250 }, (_, row) =>
      random() < riskAt((start + row) / watch.horizonRows) ? 1 : 0,
    )
    spent += losses.reduce((sum, loss) => sum + loss, 0)
    state = watch.update(
      selection.state,
      Uint8Array.from(selection.rows, (row) => losses[row] as number),
    )
  }
  return { state, spent }
}

const runs = (count: number, watch: DriftMonitor, riskAt: (place: number) => number) =>
  Array.from({ length: count }, (_, seed) => stream(watch, seed, riskAt))
const countAlarms = (all: readonly Run[]) => all.filter(({ state }) => state.alarm !== null).length

describe('while the guarantee holds', () => {
  it('is silent in at least 95 of 100 runs even where the risk is all that is allowed', () => {
    expect(countAlarms(runs(100, closeMonitor, () => bound))).toBeLessThanOrEqual(5)
  })

  it('is silent in every run where the risk is three quarters of it', () => {
    expect(countAlarms(runs(10, monitor, () => 0.75 * bound))).toBe(0)
    expect(countAlarms(runs(40, closeMonitor, () => 0.75 * bound))).toBe(0)
  })

  it('false alarms become rarer with the confidence', () => {
    const alarms = [0.05, 0.5, 0.95].map((confidence) => {
      const watch = createDriftMonitor({ bound, confidence, auditShare: 0.2 })
      return countAlarms(runs(100, watch, () => bound))
    })
    expect(alarms).toEqual(alarms.toSorted((a, b) => b - a))
    expect(alarms[0]).toBeGreaterThan(20)
  })
})

describe('when the risk rises', () => {
  it.each([
    { name: 'grows from the start on', riskAt: (place: number) => 0.015 + 0.2 * place },
    { name: 'grows late', riskAt: (place: number) => 0.015 + 0.5 * Math.max(0, place - 0.6) },
    { name: 'jumps to three times the bound', riskAt: (place: number) => (place < 0.3 ? 0.015 : 0.06) },
    { name: 'jumps to 40 %', riskAt: (place: number) => (place < 0.9 ? 0.015 : 0.4) },
    { name: 'is 40 % from the first row', riskAt: () => 0.4 },
  ])('the alarm comes before twice the allowed losses have happened where it $name', ({ riskAt }) => {
    for (const watch of [monitor, closeMonitor]) {
      for (const { state, spent } of runs(20, watch, riskAt)) {
        expect(state.alarm).not.toBeNull()
        expect(spent).toBeLessThan(2 * bound * watch.horizonRows)
      }
    }
  })

  it('the default horizon is long enough for twice the bound, from the first row, in at least 95 of 100 runs', () => {
    const alarmed = runs(100, closeMonitor, () => 2 * bound).filter(({ state }) => state.alarm !== null)
    expect(alarmed.length).toBeGreaterThanOrEqual(95)
  })

  it('the alarm does not wait for a long quiet past to be outweighed', () => {
    for (const { state } of runs(20, closeMonitor, (place) => (place < 0.8 ? 0.01 : 0.1))) {
      expect(state.losses / state.audited).toBeLessThan(bound)
      expect(state.alarm?.rows).toBeLessThan(0.92 * closeMonitor.horizonRows)
    }
  })

  it('the alarm tells how many of the last audited rows speak for it', () => {
    const change = 0.5
    const ratios = runs(40, closeMonitor, (place) => (place < change ? 0.01 : 0.15)).map(({ state }) => {
      const since = (state.alarm?.rows ?? 0) - change * closeMonitor.horizonRows
      return (state.alarm?.recentAudits ?? 0) / (since * closeMonitor.auditShare)
    })
    const median = ratios.toSorted((a, b) => a - b)[20] as number
    expect(median).toBeGreaterThan(0.6)
    expect(median).toBeLessThan(1.6)
  })
})

describe('the state', () => {
  const losses = Uint8Array.from({ length: 300 }, (_, row) => (row % 20 === 0 ? 1 : 0))

  it('goes on from JSON as if nothing had been, however the audits come in', () => {
    const whole = monitor.update(monitor.init(3), losses)
    let state = monitor.init(3)
    for (let start = 0; start < losses.length; start += 7) {
      state = monitor.update(JSON.parse(JSON.stringify(state)), losses.subarray(start, start + 7))
    }
    expect(state).toEqual(whole)
    expect(state.audited).toBe(300)
    expect(state.losses).toBe(15)
  })

  it('is never changed, and the same calls give the same answers', () => {
    const state = freeze(monitor.update(monitor.init(4), losses))
    const before = JSON.stringify(state)
    expect(monitor.selectAudits(state, 500)).toEqual(monitor.selectAudits(state, 500))
    expect(monitor.update(state, losses)).toEqual(monitor.update(state, losses))
    expect(JSON.stringify(state)).toBe(before)
  })

  it('keeps its first alarm and goes on counting', () => {
    const alarmed = monitor.update(monitor.init(5), new Uint8Array(50).fill(1))
    expect(alarmed.alarm).not.toBeNull()
    const later = monitor.update(monitor.selectAudits(alarmed, 10_000).state, losses)
    expect(later.alarm).toEqual(alarmed.alarm)
    expect(later.audited).toBe(350)
    expect(later.rows).toBe(10_000)
  })
})

it('audits a share of the rows', () => {
  const { rows, state } = monitor.selectAudits(monitor.init(1), 100_000)
  expect(rows.length).toBeGreaterThan(900)
  expect(rows.length).toBeLessThan(1100)
  expect(state.rows).toBe(100_000)
  expect(state.audited).toBe(0)
})

it('by default watches over as many rows as hold 40 audited losses', () => {
  expect(monitor).toMatchObject({ auditShare: 0.01, horizonRows: 200_000 })
  expect(createDriftMonitor({ bound: 0.01, auditShare: 0.05 }).horizonRows).toBe(80_000)
})

it.each([
  { bound: 0 },
  { bound: 1.5 },
  { bound, confidence: 1 },
  { bound, auditShare: 0 },
  { bound, auditShare: 1.01 },
  { bound, horizonRows: 0 },
  { bound, horizonRows: 10.5 },
])('refuses %o', (options) => {
  expect(() => createDriftMonitor(options)).toThrow(InvalidArgumentError)
})

it('refuses rows, losses, seeds and states that are none', () => {
  const state = monitor.init(0)
  expect(() => monitor.init(-1)).toThrow(InvalidArgumentError)
  expect(() => monitor.selectAudits(state, 0.5)).toThrow(InvalidArgumentError)
  expect(() => monitor.update(state, Uint8Array.of(0, 2))).toThrow('The loss of audited row 1 is 2')
  expect(() => monitor.update({ ...state, evidence: { capital: [1], weightedAges: [1] } }, Uint8Array.of(0))).toThrow(
    '1 and 1 bets',
  )
})

function freeze(state: DriftState): DriftState {
  Object.freeze(state.evidence.capital)
  Object.freeze(state.evidence.weightedAges)
  Object.freeze(state.evidence)
  return Object.freeze(state)
}
