import { describe, expect, it } from 'vitest'
import { medianRatio, summarise, timeInTurns } from './paired-timing.ts'
import { useFakeClock } from './testing/fake-clock.ts'

describe('timeInTurns', () => {
  const clock = useFakeClock(1000)

  /** Work that takes the given milliseconds, one after another, and writes its name down. */
  const createWork = (name: string, log: string[], durations: readonly number[]) => {
    const left = [...durations]
    return async () => {
      log.push(name)
      clock.nowMs += left.shift() ?? 0
    }
  }

  it('prepares every round, the uncounted one too, off the clock', async () => {
    const log: string[] = []
    const beforeRound = async () => {
      log.push('prepare')
      clock.nowMs += 1000
    }
    const times = await timeInTurns([createWork('a', log, [9, 1, 2])], 2, { beforeRound })
    expect(times).toEqual([[1, 2]])
    expect(log).toEqual(['prepare', 'a', 'prepare', 'a', 'prepare', 'a'])
  })

  it('lets another contender begin each round and does not count the round before', async () => {
    const log: string[] = []
    const contenders = [
      createWork('a', log, [90, 1, 2, 3]),
      createWork('b', log, [90, 4, 5, 6]),
      createWork('c', log, [90, 7, 8, 9]),
    ]
    const times = await timeInTurns(contenders, 3)
    expect(log.join('')).toBe('abc' + 'abc' + 'bca' + 'cab')
    expect(times).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ])
  })

  it('stops between two turns with the reason of the signal', async () => {
    const log: string[] = []
    const controller = new AbortController()
    const second = async () => {
      log.push('b')
      if (log.length === 4) controller.abort(new Error('enough'))
    }
    const work = timeInTurns([createWork('a', log, []), second], 5, { signal: controller.signal })
    await expect(work).rejects.toThrow('enough')
    expect(log.join('')).toBe('abab')
  })

  it('is interrupted by an event although the contenders settle at once', async () => {
    const log: string[] = []
    const controller = new AbortController()
    setImmediate(() => controller.abort(new Error('enough')))
    const work = timeInTurns([createWork('a', log, [])], 50, { signal: controller.signal })
    await expect(work).rejects.toThrow('enough')
  })
})

describe('summarise', () => {
  it('gives median, least and most, of odd and even counts, in any order', () => {
    expect(summarise([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 })
    expect(summarise([10, 2, 4, 100])).toEqual({ median: 7, min: 2, max: 100 })
    expect(summarise([3])).toEqual({ median: 3, min: 3, max: 3 })
  })

  it('sorts numbers, not their text, and leaves the list as it was', () => {
    const values = [100, 9, 20]
    expect(summarise(values).median).toBe(20)
    expect(values).toEqual([100, 9, 20])
  })
})

describe('medianRatio', () => {
  it('takes the ratio in each round first, so that a drift of both cancels', () => {
    expect(medianRatio([2, 20, 200], [1, 10, 100])).toBe(2)
    // Of the lists themselves the medians are 30 and 10.
    expect(medianRatio([1, 30, 200], [1, 10, 100])).toBe(2)
    expect(medianRatio([1, 4], [1, 2])).toBe(1.5)
  })
})
