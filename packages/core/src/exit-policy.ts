import type { ClassScores } from './class-scores.ts'
import type { PolicyExpression } from './gate-expression.ts'
import type { PooledFeatures } from './pooled-features.ts'

/** What a gate sees: the rows that have reached it. */
export interface Observation {
  /** Index of the stage that has just run; the last one for `finish` alone. */
  readonly stage: number
  /** The class scores, of the gate or of the full network, of the rows still in the network, finite. */
  readonly scores: ClassScores
  /** Pooled features of the same rows, finite; there for a policy that `usesFeatures`, and for no other. */
  readonly features?: PooledFeatures | undefined
  /** Index of each of these rows in the batch that entered the network. */
  readonly rowIndices: Uint32Array
  /** MACs spent so far on each of these rows, heads included. */
  readonly macsSpent: number
}

/** Who leaves, and with what answer: `exit[i]` is 1 when row `i` of the observation exits here, else 0. */
export interface Decision<State> {
  readonly exit: Uint8Array
  readonly state: State
  /**
   * What the observation's rows answer with if they leave here, one row each, finite; the gate's own class scores where
   * absent.
   */
  readonly scores?: ClassScores | undefined
}

/**
 * Decides, per row, whether the answer of a gate stands. Pure: no clock, no I/O, no randomness, no state but the one
 * passed in. A row's decision may depend on that row alone, never on its neighbours.
 */
export interface ExitPolicy<State = unknown> {
  readonly specVersion: 'v1'
  readonly name: string
  /** True where decisions depend on `Observation.features`, which are read from the device for such policies alone. */
  readonly usesFeatures?: boolean | undefined
  /**
   * What `decide` and `finish` do, as data. With it a backend may decide by itself and run the whole network in one call.
   * Absent where rows are decided or answered by more than class scores, or in a way that no {@link PolicyExpression} says.
   */
  readonly expression?: PolicyExpression | undefined
  /** State before the first gate, for a batch of `batchSize` rows addressed by their original indices. */
  init(batchSize: number): State
  decide(observation: Observation, state: State): Decision<State>
  /** What the rows that no gate let go answer with, one row each, finite; the full network's scores where absent. */
  finish?(observation: Observation, state: State): ClassScores
}
