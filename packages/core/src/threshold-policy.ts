import type { JsonObject } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Decision, ExitPolicy, Observation } from './exit-policy.ts'
import type { ExitAnswer, ExitScore, GateContext, PolicyFamily } from './exit-score.ts'
import type { GateExpression, PolicyExpression } from './gate-expression.ts'
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
  /** What `answer` computes, as data, where that is known. */
  readonly answerExpression?: ScoreExpression | undefined
  /** Whether score or answer look at earlier gates. */
  readonly usesEarlierGates?: boolean | undefined
  /** Whether score or answer look at pooled features of the network. */
  readonly usesFeatures?: boolean | undefined
}

/** How rows that no gate lets go are answered, where that is not by the full network's own scores. */
export interface EndRule {
  readonly answer: ExitAnswer
  /** What `answer` computes, as data, where that is known. */
  readonly expression?: ScoreExpression | undefined
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
 * @param classCount lets the rule say its score and answer as data, too, where the family can
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
    answerExpression: classCount === undefined ? undefined : family.expressAnswer?.(parameters, classCount),
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
 * earlier gate to those that follow. Where every rule that may fire and the end have expressions, so has the policy.
 *
 * @param end the full network's scores answer rows that no gate lets go when absent
 */
export function createThresholdPolicy(
  name: string,
  rules: readonly GateRule[],
  end?: EndRule,
): ExitPolicy<ThresholdPolicyState> {
  const keepsScores = end !== undefined || rules.some((rule) => rule.usesEarlierGates)
  const lookBack = (state: ThresholdPolicyState, rows: Uint32Array): GateContext => ({
    earlier: (state ?? []).map((seen) => takeSeen(seen, rows)),
  })
  return {
    specVersion: 'v1',
    name,
    usesFeatures: rules.some((rule) => rule.usesFeatures),
    expression: expressPolicy(rules, end),
    init: () => (keepsScores ? [] : null),
    ...(end && { finish: ({ scores, rowIndices }, state) => end.answer(scores, lookBack(state, rowIndices)) }),
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

/** The policy as data; undefined where a rule that may fire, or the end, does more than its expressions say. */
function expressPolicy(rules: readonly GateRule[], end: EndRule | undefined): PolicyExpression | undefined {
  if (end !== undefined && end.expression === undefined) return undefined
  const gates: (GateExpression | null)[] = []
  for (const { expression, threshold, answer, answerExpression } of rules) {
    if (threshold === Number.POSITIVE_INFINITY) gates.push(null)
    else if (expression === undefined || (answer !== undefined && answerExpression === undefined)) return undefined
    else gates.push({ score: expression, threshold, answer: answerExpression })
  }
  return { gates, end: end?.expression }
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
