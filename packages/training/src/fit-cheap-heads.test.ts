import { argmaxRows } from '@sluice/core'
import { expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { fitCheapHeads } from './fit-cheap-heads.ts'
import { createToyData } from './testing/toy-data.ts'

it('cheap heads answer on the same held-out rows, better where the classes lie further apart', async () => {
  const [near, far] = [await createToyData({ rows: 3000, separation: 0.5 }), await createToyData({ rows: 3000 })]
  const progress: number[] = []
  const options = { engine: createTestEngine(), candidates: [near.features, far.features], hidden: null, seed: 4 }
  const onProgress = ({ done }: { done: number }) => progress.push(done)
  const { rows, targets, networkScores, heads } = await fitCheapHeads({ ...options, targets: far.targets, onProgress })
  expect(progress).toEqual([1, 2])
  expect(rows.length).toBeGreaterThan(1000)
  expect(rows.length).toBeLessThan(1400)
  expect(targets).toEqual(Int32Array.from(rows, (row) => far.targets.labels[row] as number))
  expect(argmaxRows(networkScores)).toEqual(targets)
  const accuracies = heads.map(({ scores }) => {
    return argmaxRows(scores).filter((answer, index) => answer === targets[index]).length / rows.length
  })
  expect(accuracies[0]).toBeLessThan(0.9)
  expect(accuracies[1]).toBeGreaterThan(0.98)
  expect(heads.map(({ weightNorms }) => weightNorms.length)).toEqual([3, 3])
})

it('cheap heads without labels follow the network', async () => {
  const { features, targets } = await createToyData()
  const options = {
    engine: createTestEngine(),
    candidates: [features],
    targets: { ...targets, labels: null },
    hidden: null,
    seed: 4,
  }
  const { targets: answers, networkScores } = await fitCheapHeads(options)
  expect(answers).toEqual(argmaxRows(networkScores))
})
