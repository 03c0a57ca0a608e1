import type { JsonObject } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import type { PooledFeatures } from './pooled-features.ts'
import type { ScoreExpression } from './score-expression.ts'

/** What a gate knows of its rows besides its own class scores. */
export interface GateContext {
  /**
   * Class scores of the gates in front, of the same rows, in the order of the network. Gates that are off are not among
   * them: their heads do not run.
   */
  readonly earlier: readonly ClassScores[]
  /** Pooled features of the network at this gate, of the same rows; there for families that use them. */
  readonly features?: PooledFeatures | undefined
}

/** The context of a network's first gate, and of every gate whose score looks at nothing else. */
export const noContext: GateContext = { earlier: [] }

/**
 * One number per row from its class scores, and from the rest of the context where the family uses it: higher = readier to
 * exit. Pure; a row's number depends on that row alone. Without a context, the gate is the first one and has no features.
 */
export type ExitScore = (scores: ClassScores, context?: GateContext) => Float32Array

/** The class scores that rows answer with when they leave, instead of the gate's own. Pure and row by row, as `ExitScore`. */
export type ExitAnswer = (scores: ClassScores, context?: GateContext) => ClassScores

/** What a family may learn from at one gate. */
export interface GateSample extends Partial<GateContext> {
  /** Class scores of the gate's head on the tuning samples. */
  readonly scores: ClassScores
  /** The class each row should get: its label, or the full network's answer where there are no labels. */
  readonly targets: Int32Array
  /** `||w_j||` of the head's last layer, one per class. */
  readonly weightNorms: readonly number[]
}

/** How rows that no gate lets go are answered, where that is not by the full network's own scores. */
export interface EndAnswerFamily {
  /** @param sample the full network's scores, and those of all gates in front as `earlier` */
  fit(sample: Omit<GateSample, 'weightNorms'>): JsonObject
  /**
   * The answer takes the full network's scores, and those of the gates in front.
   * @throws InvalidArgumentError when the parameters are not what `fit` writes
   */
  createAnswer(parameters: JsonObject): ExitAnswer
  /**
   * What `createAnswer` computes, as data, for `classCount` classes, where that can be said.
   * @throws InvalidArgumentError as `createAnswer`
   */
  express?(parameters: JsonObject, classCount: number): ScoreExpression
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
  /** True where scores or answers depend on `GateContext.earlier`; that costs the memory of all gates' scores. */
  readonly usesEarlierGates?: boolean
  /** True where scores or answers depend on `GateContext.features`: only bundles whose gates yield them will do. */
  readonly usesFeatures?: boolean
  fit(sample: GateSample): JsonObject
  /** @throws InvalidArgumentError when the parameters are not what `fit` writes */
  createScore(parameters: JsonObject): ExitScore
  /**
   * What rows answer with when they leave; absent where that is the gate's own class scores.
   * @throws InvalidArgumentError as `createScore`
   */
  createAnswer?(parameters: JsonObject): ExitAnswer
  /** Absent where rows that reach the end answer with the full network's scores. */
  readonly end?: EndAnswerFamily
  /**
   * What `createScore` computes, as data, for `classCount` classes: gates of families that have it run inside an exported
   * network. Absent where the operators of {@link ScoreExpression} do not reach.
   * @throws InvalidArgumentError as `createScore`
   */
  expressScore?(parameters: JsonObject, classCount: number): ScoreExpression
  /**
   * What `createAnswer` computes, as data, for `classCount` classes, where that can be said.
   * @throws InvalidArgumentError as `createScore`
   */
  expressAnswer?(parameters: JsonObject, classCount: number): ScoreExpression
}
