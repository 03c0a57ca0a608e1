import { countMacsCost, findPolicyFamily, policyFamilies } from '@sluice/app-train'
import { argmaxRows } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { createSyntheticScores } from '../../../../tooling/synthetic-scores.ts'
import { createSyntheticManifest } from '../testing/synthetic-manifest.ts'
import { judgeSplit } from './judge-split.ts'

const split = { tuning: createSyntheticScores(1500, 1, 3), judged: createSyntheticScores(1000, 2, 3) }
const cost = countMacsCost(await createSyntheticManifest())
const targets = { drops: [0, 5], shares: [0.2, 0.6, 1], budgets: [0.26, 0.445, 0.63, 0.815, 1] }
const meanOf = (values: Float32Array | null | undefined) => {
  if (!values) throw new Error('There are no values.')
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe.each(policyFamilies.map((family) => [family.name, family] as const))('judgeSplit with %s', (_, family) => {
  const judged = judgeSplit(split, { family, cost }, targets)

  it('loses on unseen samples about what it may, and saves more where it may lose more', () => {
    const [careful, bold] = judged.atDrop.map(({ macsSaved, drop }) => ({
      saved: meanOf(macsSaved),
      drop: meanOf(drop),
    }))
    expect(careful?.drop).toBeLessThan(2)
    expect(bold?.drop).toBeLessThan(7)
    expect(bold?.saved).toBeGreaterThan(careful?.saved ?? 1)
  })

  it('starts its curve where every sample leaves at the first gate, and has no figure for less', () => {
    expect(judged.curve[0]?.macsShare).toBeCloseTo(0.26, 2)
    expect(judged.atShare[0]).toEqual({ share: 0.2, accuracy: null, macsShare: null })
  })

  it('spends about the budget and has the area of its curve by trapezoids', () => {
    const { curve } = judged
    for (const { budget, macsShare } of curve) expect(macsShare).toBeLessThan(budget + 0.03)
    const area = curve
      .slice(1)
      .reduce(
        (sum, { accuracy }, index) => sum + (accuracy + (curve[index]?.accuracy ?? 0)) / 2 / (curve.length - 1),
        0,
      )
    expect(meanOf(judged.area)).toBeCloseTo(area, 5)
    expect(meanOf(judged.atShare[2]?.accuracy)).toBeCloseTo(curve.at(-1)?.accuracy ?? 0, 6)
  })
})

it('counts what the choice for a drop does as one does by hand', () => {
  const family = findPolicyFamily('margin')
  const { choices, atDrop } = judgeSplit(split, { family, cost }, targets)
  const [, choice] = choices
  const { gates, final, labels } = split.judged
  const exits = [...gates.map(({ scores }) => scores), final]
  const answers = exits.map(argmaxRows)
  const outcomes = Array.from(labels ?? [], (label, row) => {
    const fires = (gate: number, index: number) => {
      const scores = Array.from(exits[gate]?.data.subarray(4 * row, 4 * row + 4) ?? [])
      return Math.fround(Math.max(...scores)) >= (choice?.point.thresholds[index] ?? Number.NaN)
    }
    const gate = choice?.standing.find(fires) ?? 3
    const heads = choice?.standing.filter((standing) => standing <= gate).length ?? 0
    const isRight = (exit: number) => (answers[exit]?.[row] === label ? 1 : 0)
    return { saved: 1 - (25 * (gate + 1) + heads) / 100, drop: 100 * (isRight(3) - isRight(gate)) }
  })
  const mean = (key: 'saved' | 'drop') => outcomes.reduce((sum, outcome) => sum + outcome[key], 0) / outcomes.length
  expect(choice?.standing.length).toBeGreaterThan(0)
  expect(meanOf(atDrop[1]?.macsSaved)).toBeCloseTo(mean('saved'), 5)
  expect(meanOf(atDrop[1]?.drop)).toBeCloseTo(mean('drop'), 5)
})
