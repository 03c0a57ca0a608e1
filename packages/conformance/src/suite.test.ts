import { expect, it } from 'vitest'
import { findUnknownSkips } from './suite.ts'

it('finds skips that match no test', () => {
  const skips = [
    { test: 'first', reason: 'slow' },
    { test: 'frist', reason: 'a typo' },
  ]
  expect(findUnknownSkips([{ name: 'first' }, { name: 'second' }], skips)).toEqual(['frist'])
})
