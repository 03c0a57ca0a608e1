import type { JsonObject } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import type { ExitPolicy } from './exit-policy.ts'
import type { ScoreExpression } from './score-expression.ts'

/** One number per row from its class scores: higher = readier to exit. Pure; a row's number depends on that row alone. */
export type ExitScore = (scores: ClassScores) => Float32Array

/** What a family may learn from at one gate. */
export interface GateSample {
  /** Class scores of the gate's head on the tuning samples. */
  readonly scores: ClassScores
  /** The class each row should get: its label, or the full network's answer where there are no labels. */
  readonly targets: Int32Array
  /** `||w_j||` of the head's last layer, one per class. */
  readonly weightNorms: readonly number[]
}

/**
 * One way to score readiness, e.g. `softmax`. `fit` learns a gate's parameters (plain JSON, kept in the bundle; `{}`
 * where nothing is learnt); `createScore` turns them into the function that the gate applies.
 */
export interface PolicyFamily {
  readonly specVersion: 'v1'
  readonly name: string
  /** Lowest and highest value a score can take, e.g. `[0, 1]`; infinite ends where it is unbounded. */
  readonly range: readonly [number, number]
  fit(sample: GateSample): JsonObject
  /** @throws InvalidArgumentError when the parameters are not what `fit` writes */
  createScore(parameters: JsonObject): ExitScore
  /**
   * What `createScore` computes, as data, for `classCount` classes: gates of families that have it run inside an exported
   * network. Absent where the operators of {@link ScoreExpression} do not reach.
   * @throws InvalidArgumentError as `createScore`
   */
  expressScore?(parameters: JsonObject, classCount: number): ScoreExpression
}

/** A gate's score and threshold. A threshold of `Infinity` never fires. */
export interface GateRule {
  readonly score: ExitScore
  readonly threshold: number
}

/** The policy that exits a row at gate `s` when `rules[s].score(row) >= rules[s].threshold`. */
export function createThresholdPolicy(name: string, rules: readonly GateRule[]): ExitPolicy<null> {
  return {
    specVersion: 'v1',
    name,
    init: () => null,
    decide({ stage, scores }) {
      const exit = new Uint8Array(scores.rows)
      const rule = rules[stage]
      if (rule !== undefined && rule.threshold !== Number.POSITIVE_INFINITY) {
        const values = rule.score(scores)
        for (let row = 0; row < exit.length; row++) exit[row] = (values[row] as number) >= rule.threshold ? 1 : 0
      }
      return { exit, state: null }
    },
  }
}
