import { createRandom } from '@sluice/core/reference'
import { describe, expect, it } from 'vitest'
import { listRight, selectSamples } from '../exit-table.ts'
import { generateTable } from '../generated-table.ts'
import { createLevelPath, evaluateLevelPath } from '../level-path.ts'
import { findExits } from '../operating-point.ts'
import { boundRisk, controlConformalRisk, learnThenTest } from './control-risk.ts'
import { countPathLosses } from './path-losses.ts'

const table = generateTable({ samples: 7000, gates: 4, random: createRandom(3) })
const rows = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, index) => from + index)
/** The path is made from samples that are used for nothing else. */
const path = createLevelPath(selectSamples(table, rows(0, 1000)))
const population = selectSamples(table, rows(1000, 7000))

const everywhere = countPathLosses(population, path)

/** The losses on `size` random samples, and at each step the risk on all others. */
function drawSplit(size: number, random: () => number) {
  const order = rows(0, population.samples)
  for (let index = 0; index < size; index++) {
    const other = index + Math.floor(random() * (order.length - index))
    const row = order[index] as number
    order[index] = order[other] as number
    order[other] = row
  }
  const losses = countPathLosses(selectSamples(population, order.subarray(0, size)), path)
  const rest = population.samples - size
  const riskOnRest = (step: number) => ((everywhere.harmed[step] as number) - (losses.harmed[step] as number)) / rest
  return { losses, riskOnRest }
}

describe('losses along a path', () => {
  it.each([false, true])(
    'are those of its operating points, and never fall once they are counted for good, the end revised: %s',
    (revisesEnd) => {
      const endRight = revisesEnd
        ? generateTable({ samples: 6000, gates: 1, random: createRandom(4) }).finalRight
        : undefined
      const revised = { ...population, endRight }
      const right = listRight(revised)
      const { harmed, everHarmed } = countPathLosses(revised, path)
      for (const step of [0, 1, 200, 500, 900, 1023]) {
        const thresholds = path.thresholds.map((values) => values[step] as number)
        const exits = findExits(revised, thresholds)
        const expected = Array.from(exits).filter((gate, row) => {
          return revised.finalRight[row] === 1 && right[gate]?.[row] === 0
        })
        expect(harmed[step]).toBe(expected.length)
        expect(everHarmed[step]).toBeGreaterThanOrEqual(expected.length)
      }
      expect(everHarmed).toEqual(everHarmed.toSorted())
      expect((harmed[0] as number) > 0).toBe(revisesEnd)
    },
  )
})

/** Chance of so many failures or more, if each of the rounds fails with the allowed chance: mean plus three deviations. */
const allowed = (rounds: number, chance: number) => rounds * chance + 3 * Math.sqrt(rounds * chance * (1 - chance))

describe('over random splits', () => {
  const splits = 300
  const bound = 0.02

  it.each([
    { samples: 200, delta: 0.1 },
    { samples: 500, delta: 0.05 },
    { samples: 2000, delta: 0.1 },
  ])(
    'Learn then Test on $samples samples exceeds the bound in at most $delta of them, and saves',
    ({ samples, delta }) => {
      const random = createRandom(samples)
      let exceeded = 0
      let saving = 0
      for (let split = 0; split < splits; split++) {
        const { losses, riskOnRest } = drawSplit(samples, random)
        const step = learnThenTest(losses.harmed, samples, { bound, confidence: 1 - delta })
        if (riskOnRest(step) > bound) exceeded++
        if (step > 0) saving++
      }
      expect(exceeded).toBeLessThanOrEqual(allowed(splits, delta))
      expect(saving / splits).toBeGreaterThan(0.5)
    },
  )

  it('conformal risk control keeps the mean risk at the bound, and goes further than Learn then Test', () => {
    const random = createRandom(5)
    let risk = 0
    for (let split = 0; split < splits; split++) {
      const { losses, riskOnRest } = drawSplit(500, random)
      const step = controlConformalRisk(losses.everHarmed, 500, bound)
      risk += riskOnRest(step) / splits
      expect(step).toBeGreaterThanOrEqual(learnThenTest(losses.everHarmed, 500, { bound, confidence: 0.95 }))
    }
    expect(risk).toBeLessThanOrEqual(bound + 0.001)
    expect(risk).toBeGreaterThan(0.5 * bound)
  })

  it('the upper confidence bound of a fixed step lies above its risk in all but a share of them', () => {
    const random = createRandom(6)
    const step = 600
    let missed = 0
    for (let split = 0; split < splits; split++) {
      const { losses, riskOnRest } = drawSplit(500, random)
      if (boundRisk(losses.harmed[step] as number, 500, 0.9) < riskOnRest(step)) missed++
    }
    expect(missed).toBeLessThanOrEqual(allowed(splits, 0.1))
  })
})

describe('the corners', () => {
  it('nothing is certified on too few samples', () => {
    const none = new Int32Array(10)
    expect(learnThenTest(none, 298, { bound: 0.01, confidence: 0.95 })).toBe(0)
    expect(learnThenTest(none, 299, { bound: 0.01, confidence: 0.95 })).toBe(9)
    expect(controlConformalRisk(none, 98, 0.01)).toBe(0)
    expect(controlConformalRisk(none, 99, 0.01)).toBe(9)
  })

  it('testing ends at the first step that does not pass, even if a later one would', () => {
    const losses = Int32Array.of(0, 0, 30, 0)
    expect(learnThenTest(losses, 1000, { bound: 0.01, confidence: 0.9 })).toBe(1)
  })

  it('the upper bound of no loss is the rule of three, and of only losses 1', () => {
    expect(boundRisk(0, 100, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 100), 12)
    expect(boundRisk(1, 1, 0.9)).toBe(1)
    expect(boundRisk(0, 1, 0.9)).toBeCloseTo(0.9, 12)
  })

  it('a path that does not fire at all is safe on every table', () => {
    const [first] = evaluateLevelPath(population, path)
    expect(first?.drop).toBe(0)
  })
})
