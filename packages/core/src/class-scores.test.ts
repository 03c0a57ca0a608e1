import { expect, it } from 'vitest'
import { argmaxRows } from './class-scores.ts'

it('takes the highest score of each row, the lowest index on ties', () => {
  const data = Float32Array.of(1, 3, 2, -5, -5, -6, 0, 0, 0)
  expect(argmaxRows({ data, rows: 3, classCount: 3 })).toEqual(Int32Array.of(1, 0, 0))
})

it('gives nothing for zero rows', () => {
  expect(argmaxRows({ data: new Float32Array(0), rows: 0, classCount: 4 })).toEqual(new Int32Array(0))
})
