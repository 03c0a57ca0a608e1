import { setImmediate } from 'node:timers/promises'
import { findMedian } from './quantiles.ts'

/** Milliseconds over the rounds. */
export interface Timing {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface TimingOptions {
  readonly signal?: AbortSignal | undefined
  /** Awaited, untimed, before each round and before the one that is not counted: to change what the contenders work on. */
  readonly beforeRound?: () => Promise<void>
}

/**
 * Times several contenders in turn, round by round, each round starting with another one, so that drift of the machine
 * falls on all alike. One round is run before and not counted. Signals get their turn between the contenders.
 *
 * @param contenders pieces of work to compare, each an async function
 * @param rounds how often each is timed, at least 1
 * @returns one list of milliseconds per contender, in round order
 */
export async function timeInTurns(
  contenders: readonly (() => Promise<unknown>)[],
  rounds: number,
  { signal, beforeRound }: TimingOptions = {},
): Promise<number[][]> {
  const times = contenders.map((): number[] => [])
  await beforeRound?.()
  for (const contender of contenders) await contender()
  for (let round = 0; round < rounds; round++) {
    await beforeRound?.()
    for (let turn = 0; turn < contenders.length; turn++) {
      // Work that settles in microtasks would let no signal in.
      await setImmediate()
      signal?.throwIfAborted()
      const index = (turn + round) % contenders.length
      const startMs = performance.now()
      await contenders[index]?.()
      times[index]?.push(performance.now() - startMs)
    }
  }
  return times
}

/** @param values at least one */
export function summarise(values: readonly number[]): Timing {
  return { median: findMedian(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * Median of the ratios `a[i] / b[i]` of the rounds: a round's contenders run within moments of each other, so a ratio
 * holds where single times drift.
 */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return findMedian(a.map((value, index) => value / (b[index] ?? Number.NaN)))
}
