import { InvalidArgumentError, NonFiniteValueError, type PolicyFamily, ShapeMismatchError } from '@sluice/core'
import { expect, it } from 'vitest'
import {
  createExitTable,
  fitEndParameters,
  fitGateParameters,
  type ScoreCache,
  selectCachedSamples,
} from './score-cache.ts'

/** Scores a row by its first class score, times the number of samples it was fitted on. */
const family: PolicyFamily = {
  specVersion: 'v1',
  name: 'first',
  range: [0, Number.POSITIVE_INFINITY],
  fit: ({ targets }) => ({ factor: targets.length }),
  createScore({ factor }) {
    return ({ data, rows }) => Float32Array.from({ length: rows }, (_, row) => (data[2 * row] ?? 0) * Number(factor))
  },
}

const scores = (...data: number[]) => ({ data: Float32Array.from(data), rows: data.length / 2, classCount: 2 })
const cache: ScoreCache = {
  gates: [{ scores: scores(1, 0, 2, 0, 3, 4), weightNorms: [1, 1] }],
  final: scores(5, 0, 0, 5, 0, 5),
  labels: Int32Array.of(0, 0, 1),
}
const cost = { backbone: [1, 1], head: [0] }

it('marks answers against the labels', () => {
  const table = createExitTable(cache, family, fitGateParameters(cache, family), cost)
  expect(table.finalRight).toEqual(Uint8Array.of(1, 0, 1))
  expect(table.gates[0]?.right).toEqual(Uint8Array.of(1, 1, 1))
  expect(table.gates[0]?.scores).toEqual(Float32Array.of(3, 6, 9))
  expect(table.gates[0]?.range).toBe(family.range)
})

it('marks agreement with the full network where there are no labels', () => {
  const table = createExitTable({ ...cache, labels: null }, family, [{ factor: 1 }], cost)
  expect(table.finalRight).toEqual(Uint8Array.of(1, 1, 1))
  expect(table.gates[0]?.right).toEqual(Uint8Array.of(1, 0, 1))
})

it('answers at the end as the family was fitted to, where there are gates and labels', () => {
  const swapping: PolicyFamily = {
    ...family,
    end: {
      fit: ({ scores: final, earlier = [] }) => ({ gates: earlier.length, rows: final.rows }),
      createAnswer: () => (final) => ({ ...final, data: final.data.map((value) => -value) }),
    },
  }
  const end = fitEndParameters(cache, swapping)
  expect(end).toEqual({ gates: 1, rows: 3 })
  const table = createExitTable(cache, swapping, fitGateParameters(cache, swapping), cost, end)
  expect(table.finalRight).toEqual(Uint8Array.of(1, 0, 1))
  expect(table.endRight).toEqual(Uint8Array.of(0, 1, 0))
  expect(createExitTable(cache, swapping, fitGateParameters(cache, swapping), cost).endRight).toBeUndefined()
  expect(fitEndParameters({ ...cache, labels: null }, swapping)).toBeNull()
  expect(fitEndParameters({ ...cache, gates: [] }, swapping)).toBeNull()
  expect(fitEndParameters(cache, family)).toBeNull()
  expect(() => createExitTable(cache, family, [{ factor: 1 }], cost, end)).toThrow('answers at gates alone')
})

it('fits on one part and applies to another', () => {
  const parameters = fitGateParameters(selectCachedSamples(cache, Uint32Array.of(0, 1)), family)
  expect(parameters).toEqual([{ factor: 2 }])
  const unseen = selectCachedSamples(cache, Uint32Array.of(2))
  expect(unseen.labels).toEqual(Int32Array.of(1))
  expect(createExitTable(unseen, family, parameters, cost).gates[0]?.scores).toEqual(Float32Array.of(6))
})

it('shows a family the pooled features of its gate, of the samples that are picked', () => {
  const features = { data: Float32Array.of(1, 10, 2, 20, 3, 30), rows: 3, width: 2 }
  const withFeatures: ScoreCache = { ...cache, gates: cache.gates.map((gate) => ({ ...gate, features })) }
  const looking: PolicyFamily = {
    ...family,
    usesFeatures: true,
    fit: (sample) => ({ first: sample.features?.data[0] ?? null }),
    createScore:
      ({ first }) =>
      ({ rows }, context) =>
        Float32Array.from({ length: rows }, (_, row) => Number(first) * (context?.features?.data[2 * row + 1] ?? 0)),
  }
  const picked = selectCachedSamples(withFeatures, Uint32Array.of(2, 1))
  const parameters = fitGateParameters(picked, looking)
  expect(parameters).toEqual([{ first: 3 }])
  expect(createExitTable(picked, looking, parameters, cost).gates[0]?.scores).toEqual(Float32Array.of(90, 60))
  const gates = cache.gates.map((gate) => ({ ...gate, features: { ...features, rows: 2 } }))
  expect(() => fitGateParameters({ ...cache, gates }, looking)).toThrow(
    "Gate 0's features has shape [2, 3]; pass [3, 2]",
  )
  const broken = { ...features, data: features.data.with(3, Number.NaN) }
  expect(() =>
    fitGateParameters({ ...cache, gates: cache.gates.map((gate) => ({ ...gate, features: broken })) }, looking),
  ).toThrow(NonFiniteValueError)
})

it('refuses caches that are empty, do not fit together, or hold NaN', () => {
  const fit = (change: Partial<ScoreCache>) => () => fitGateParameters({ ...cache, ...change }, family)
  expect(fit({ final: scores() })).toThrow(InvalidArgumentError)
  expect(fit({ labels: Int32Array.of(0, 0, 2) })).toThrow(InvalidArgumentError)
  expect(fit({ labels: Int32Array.of(0) })).toThrow(ShapeMismatchError)
  expect(fit({ final: scores(1, 2) })).toThrow(ShapeMismatchError)
  expect(fit({ final: scores(5, 0, 0, 5, Number.NaN, 5) })).toThrow(NonFiniteValueError)
  expect(() => createExitTable(cache, family, [], cost)).toThrow(ShapeMismatchError)
})
