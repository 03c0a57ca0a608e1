import { describe, expect, it } from 'vitest'
import { fitWork } from './fit-work.ts'

const asked = { batches: 6, rounds: 9 }

describe('fitWork', () => {
  it('leaves work alone that fits', () => {
    expect(fitWork(asked, 10, 600)).toEqual(asked)
    expect(fitWork(asked, 0, 600)).toEqual(asked)
  })

  it('runs fewer batches before it runs fewer rounds', () => {
    expect(fitWork(asked, 10, 599)).toEqual({ batches: 5, rounds: 9 })
    expect(fitWork(asked, 10, 100)).toEqual({ batches: 1, rounds: 9 })
    expect(fitWork(asked, 10, 50)).toEqual({ batches: 1, rounds: 4 })
  })

  it('runs one batch in one round where nothing fits', () => {
    expect(fitWork(asked, 1000, 1)).toEqual({ batches: 1, rounds: 1 })
  })
})
