import { expect, it } from 'vitest'
import { splitRows } from './row-split.ts'

const allUsed = (rows: number) => new Float32Array(rows).fill(1)

it('holds out about the share of the rows, the same ones for the same seed, and leaves out those of weight 0', () => {
  const { fitted, heldOut } = splitRows(allUsed(4000), 0.2, 3)
  expect(Array.from([...fitted, ...heldOut]).sort((a, b) => a - b)).toEqual([...allUsed(4000).keys()])
  expect(heldOut.length).toBeGreaterThan(700)
  expect(heldOut.length).toBeLessThan(900)
  const weights = allUsed(4000).fill(0, 0, 2000)
  expect(splitRows(weights, 0.2, 3).heldOut).toEqual(heldOut.filter((row) => row >= 2000))
  expect(splitRows(allUsed(4000), 0.2, 4).heldOut).not.toEqual(heldOut)
})

it('judges on samples whose copies fit nothing, and on no copies', () => {
  const alone = splitRows(allUsed(500), 0.2, 3)
  const { fitted, heldOut } = splitRows(allUsed(1500), 0.2, 3, 500)
  expect(heldOut).toEqual(alone.heldOut)
  expect(fitted).toEqual(
    Uint32Array.from([0, 500, 1000].flatMap((copies) => Array.from(alone.fitted, (row) => copies + row))),
  )
})
