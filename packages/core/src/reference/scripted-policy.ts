import type { ExitPolicy } from '../exit-policy.ts'

/**
 * A policy that lets row `i` of the batch leave at stage `exits[i]`, whatever its scores: what a run must do with it is
 * known exactly, on every backend. Rows whose stage is not a gate leave at the last one.
 */
export function createScriptedPolicy(exits: ArrayLike<number>): ExitPolicy<null> {
  return {
    specVersion: 'v1',
    name: 'scripted',
    init: () => null,
    decide: ({ stage, rowIndices }) => ({
      exit: Uint8Array.from(rowIndices, (row) => (exits[row] === stage ? 1 : 0)),
      state: null,
    }),
  }
}
