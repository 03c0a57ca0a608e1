import { type ScoreCache, searchThresholds } from '@sluice/calibration'
import type { ClassScores } from '@sluice/core'
import { createRandom } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { chooseExits, createTuningSamples, tabulateGates } from './choose-exits.ts'
import { findPolicyFamily } from './policies.ts'

const classCount = 4
const gateCount = 4
const cost = { backbone: [20, 20, 20, 20, 20], head: [1, 1, 1, 1] }

/** Scores of gates that grow surer of the label with depth, less so for harder samples. */
function createCache(samples: number, seed: number): ScoreCache {
  const random = createRandom(seed)
  const labels = Int32Array.from({ length: samples }, () => random.below(classCount))
  const difficulty = Float64Array.from(labels, () => 3 * random.next())
  const draw = (ability: number): ClassScores => {
    const data = Float32Array.from({ length: samples * classCount }, () => random.normal())
    labels.forEach((label, row) => {
      data[row * classCount + label] = (data[row * classCount + label] ?? 0) + ability - (difficulty[row] ?? 0)
    })
    return { data, rows: samples, classCount }
  }
  const gates = Array.from({ length: gateCount }, (_, gate) => ({ scores: draw(4 + gate), weightNorms: [1, 1, 1, 1] }))
  return { gates, final: draw(8), labels }
}

const cache = createCache(2000, 1)

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
