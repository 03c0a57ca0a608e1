import { expect, it, vi } from 'vitest'
import { findUnknownSkips, runCase } from './suite.ts'

const skips = [{ test: 'first', reason: 'the engine cannot' }]
const fail = () => expect.unreachable('not met')

it('finds skips that match no test', () => {
  const all = [...skips, { test: 'frist', reason: 'a typo' }]
  expect(findUnknownSkips([{ name: 'first' }, { name: 'second' }], all)).toEqual(['frist'])
})

it('a skipped case that fails, at once or later, is marked with its reason', async () => {
  for (const run of [fail, async () => fail()]) {
    const markSkipped = vi.fn()
    await runCase({ name: 'first', run }, skips, markSkipped)
    expect(markSkipped.mock.calls).toEqual([['the engine cannot']])
  }
})

it('a skipped case that passes is a failure', async () => {
  const markSkipped = vi.fn()
  const result = runCase({ name: 'first', run: async () => undefined }, skips, markSkipped)
  await expect(result).rejects.toThrow('passes although it is skipped (the engine cannot)')
  expect(markSkipped).not.toHaveBeenCalled()
})

it('a case that no skip names is run as it is', async () => {
  const markSkipped = vi.fn()
  await expect(runCase({ name: 'second', run: fail }, skips, markSkipped)).rejects.toThrow('not met')
  await runCase({ name: 'second', run: () => undefined }, skips, markSkipped)
  expect(markSkipped).not.toHaveBeenCalled()
})
