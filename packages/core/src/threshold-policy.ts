import type { JsonObject } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Decision, ExitPolicy, Observation } from './exit-policy.ts'
import type { ExitAnswer, ExitScore, GateContext, PolicyFamily } from './exit-score.ts'
import { type GateExpression, idleGate } from './gate-expression.ts'
import { takeScores } from './row-groups.ts'
import type { ScoreExpression } from './score-expression.ts'

/** A gate's score and threshold. A threshold of `Infinity` never fires. */
export interface GateRule {
  readonly score: ExitScore
  readonly threshold: number
  /** What `score` computes, as data, where that is known. */
  readonly expression?: ScoreExpression | undefined
  /** What rows answer with when they leave; the gate's own class scores where absent. */
  readonly answer?: ExitAnswer | undefined
  /** Whether score or answer look at earlier gates. */
  readonly usesEarlierGates?: boolean | undefined
  /** Whether score or answer look at pooled features of the network. */
  readonly usesFeatures?: boolean | undefined
}

/** Class scores that a threshold policy has seen at one gate. */
export interface SeenScores {
  readonly scores: ClassScores
  readonly rowIndices: Uint32Array
}

/** The scores of the gates passed, of those rows that reached them; null where no rule looks back. */
export type ThresholdPolicyState = readonly SeenScores[] | null

/**
 * What a family with fitted parameters asks of a gate.
 *
 * @param classCount lets the rule say its score as data, too, where the family can
 * @throws InvalidArgumentError as the family's `createScore`
 */
export function createGateRule(
  family: PolicyFamily,
  parameters: JsonObject,
  threshold: number,
  classCount?: number,
): GateRule {
  return {
    score: family.createScore(parameters),
    threshold,
    expression: classCount === undefined ? undefined : family.expressScore?.(parameters, classCount),
    answer: family.createAnswer?.(parameters),
    usesEarlierGates: family.usesEarlierGates,
    usesFeatures: family.usesFeatures,
  }
}

/**
 * How a family with fitted parameters answers the rows that no gate lets go.
 * @throws InvalidArgumentError for a family that leaves the end alone, or parameters that its `end` never writes
 */
export function createEndAnswer({ name, end }: PolicyFamily, parameters: JsonObject): ExitAnswer {
  if (end !== undefined) return end.createAnswer(parameters)
  throw new InvalidArgumentError(
    `The end is to be answered by the policy '${name}', which answers at gates alone. Calibrate the bundle again.`,
  )
}

/**
 * The policy that exits a row at gate `s` when `rules[s].score(row) >= rules[s].threshold`. A gate that never fires is no
 * earlier gate to those that follow. Where every rule that may fire has an expression, so has the policy.
 *
 * @param endAnswer what rows that no gate lets go answer with; the full network's scores when absent
 */
export function createThresholdPolicy(
  name: string,
  rules: readonly GateRule[],
  endAnswer?: ExitAnswer,
): ExitPolicy<ThresholdPolicyState> {
  const looksBack = endAnswer !== undefined || rules.some((rule) => rule.usesEarlierGates)
  const lookBack = (state: ThresholdPolicyState, rows: Uint32Array): GateContext => ({
    earlier: (state ?? []).map((seen) => takeSeen(seen, rows)),
  })
  return {
    specVersion: 'v1',
    name,
    usesFeatures: rules.some((rule) => rule.usesFeatures),
    gates: endAnswer === undefined ? expressGates(rules) : undefined,
    init: () => (looksBack ? [] : null),
    ...(endAnswer && { finish: ({ scores, rowIndices }, state) => endAnswer(scores, lookBack(state, rowIndices)) }),
    decide(observation, state) {
      const { stage, scores, features, rowIndices } = observation
      const rule = rules[stage]
      if (rule === undefined || rule.threshold === Number.POSITIVE_INFINITY) {
        return { exit: new Uint8Array(scores.rows), state }
      }
      const decision = applyRule(rule, observation, { ...lookBack(state, rowIndices), features })
      return { ...decision, state: state === null ? null : [...state, { scores, rowIndices }] }
    },
  }
}

/** The gates as data; undefined where one of them is more than a score of its own class scores. */
function expressGates(rules: readonly GateRule[]): GateExpression[] | undefined {
  const gates: GateExpression[] = []
  for (const { expression, threshold, answer } of rules) {
    if (threshold === Number.POSITIVE_INFINITY && expression === undefined) gates.push(idleGate)
    else if (expression === undefined || answer !== undefined) return undefined
    else gates.push({ score: expression, threshold })
  }
  return gates
}

function applyRule(rule: GateRule, { scores }: Observation, context: GateContext): Omit<Decision<unknown>, 'state'> {
  const values = rule.score(scores, context)
  const exit = new Uint8Array(scores.rows)
  for (let row = 0; row < exit.length; row++) exit[row] = (values[row] as number) >= rule.threshold ? 1 : 0
  return rule.answer === undefined ? { exit } : { exit, scores: rule.answer(scores, context) }
}

/** The scores of the given rows, which are ascending and all among those seen. */
function takeSeen({ scores, rowIndices }: SeenScores, rows: Uint32Array): ClassScores {
  let position = 0
  const positions = rows.map((row) => {
    while ((rowIndices[position] as number) < row) position++
    return position
  })
  return takeScores(scores, positions)
}
