import { searchThresholds } from '@sluice/calibration'
import { describe, expect, it } from 'vitest'
import { createSyntheticScores } from '../../../tooling/synthetic-scores.ts'
import { chooseExits, createTuningSamples, tabulateGates } from './choose-exits.ts'
import { findPolicyFamily } from './policies.ts'

const gateCount = 4
const cost = { backbone: [20, 20, 20, 20, 20], head: [1, 1, 1, 1] }

const cache = createSyntheticScores(2000, 1, gateCount)

describe.each(['softmax', 'patience', 'ensemble'])('chooseExits with %s', (name) => {
  const scoring = { family: findPolicyFamily(name), cost }
  const tuning = createTuningSamples(cache, scoring)

  it('chooses what no gate less and no gate more would better by much', () => {
    const { standing, point, met } = chooseExits(tuning, { maxDrop: 1, search: 'level' })
    expect(met).toBe(true)
    const others = [0, 1, 2, 3].map((gate) =>
      standing.includes(gate) ? standing.filter((other) => other !== gate) : [...standing, gate].sort(),
    )
    for (const other of others.filter(({ length }) => length > 0)) {
      const { saved } = searchThresholds(tuning.fitGates(other).table, { maxDrop: 1 }).point
      expect(saved, `${other} against ${standing}`).toBeLessThan(point.saved + 0.01)
    }
  })

  it('gives the parameters that the family gets on the standing gates alone', () => {
    const alone = createTuningSamples({ ...cache, gates: [1, 3].flatMap((gate) => cache.gates[gate] ?? []) }, scoring)
    expect(tuning.fitGates([1, 3]).parameters).toEqual(alone.fitGates().parameters)
    expect(tuning.fitGates([1, 3]).table.gates).toEqual(alone.fitGates().table.gates)
    expect(tuning.fitGates([1, 3]).table).toEqual(tabulateGates(cache, tuning.fitGates([1, 3]), scoring))
  })

  it('fits the same gates once', () => {
    expect(tuning.fitGates([0, 2])).toBe(tuning.fitGates([0, 2]))
    expect(tuning.fitGates()).toBe(tuning.fitGates([0, 1, 2, 3]))
  })

  it('leaves all gates off where none saves anything', () => {
    const dear = createTuningSamples(cache, { ...scoring, cost: { ...cost, head: [90, 90, 90, 90] } })
    const choice = chooseExits(dear, { maxDrop: 1, search: 'level' })
    expect(choice).toMatchObject({ standing: [], parameters: [], met: false, point: { saved: 0, drop: 0 } })
  })
})

it.each([1, 2, 3, 4, 6])('of gates that look back each saves 1 %% or more where a head costs %d', (price) => {
  const scoring = { family: findPolicyFamily('ensemble'), cost: { ...cost, head: cost.head.map(() => price) } }
  const tuning = createTuningSamples(cache, scoring)
  const { standing, point } = chooseExits(tuning, { maxDrop: 1, search: 'level' })
  const fewer = standing.map((gate) => standing.filter((other) => other !== gate)).filter(({ length }) => length > 0)
  for (const others of fewer) {
    const { saved } = searchThresholds(tuning.fitGates(others).table, { maxDrop: 1 }).point
    expect(saved, `${others} against ${standing}`).toBeLessThan(point.saved - 0.01)
  }
})
