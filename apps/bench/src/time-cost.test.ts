import { expect, test } from 'vitest'
import { countRunsPerTurn } from './time-cost.ts'

test.each([
  { name: 'one fast row', rows: 1, ms: 0.1, runs: 256 },
  { name: 'a fast batch', rows: 16, ms: 5, runs: 16 },
  { name: 'rows that do not divide', rows: 100, ms: 1, runs: 3 },
  { name: 'a slow row', rows: 1, ms: 30, runs: 3 },
  { name: 'a batch that takes a turn', rows: 64, ms: 400, runs: 1 },
  { name: 'a batch of more rows than a turn', rows: 1000, ms: 1, runs: 1 },
  { name: 'a time below what the clock tells', rows: 64, ms: 0, runs: 4 },
])('$name runs $runs times in its turn', ({ rows, ms, runs }) => {
  expect(countRunsPerTurn(rows, ms)).toBe(runs)
})
