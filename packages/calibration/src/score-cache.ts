import {
  argmaxRows,
  type ClassScores,
  checkFinite,
  createEndAnswer,
  createGateRule,
  type GateContext,
  InvalidArgumentError,
  type JsonObject,
  type PolicyFamily,
  type PooledFeatures,
  ShapeMismatchError,
} from '@sluice/core'
import { checkExitTable, type ExitCost, type ExitTable } from './exit-table.ts'

/**
 * The class scores of one pass over the calibration data, and pooled features where policies look at them. Read only;
 * nothing here keeps or changes the arrays.
 */
export interface ScoreCache {
  /** In the order of the network; every gate saw every sample. */
  readonly gates: readonly CachedGate[]
  /** The full network's scores. */
  readonly final: ClassScores
  /** One per sample; null makes the full network's own answers the targets, so that a drop is disagreement with it. */
  readonly labels: Int32Array | null
}

export interface CachedGate {
  readonly scores: ClassScores
  /** Of the same samples; absent where they were not collected. */
  readonly features?: PooledFeatures | undefined
  /** `||w_j||` of the head's last layer, one per class. */
  readonly weightNorms: readonly number[]
  /** Whether the head takes the class scores of the gate in front, so that it runs only where that one does. */
  readonly takesScores?: boolean | undefined
}

/**
 * Fits a policy family at every gate.
 *
 * @param known parameters of the first gates, which are then not fitted again
 * @returns the parameters of each gate, in order
 * @throws ShapeMismatchError, InvalidArgumentError, NonFiniteValueError for a cache that does not fit together
 */
export function fitGateParameters(
  cache: ScoreCache,
  family: PolicyFamily,
  known: readonly JsonObject[] = [],
): JsonObject[] {
  const targets = findTargets(cache)
  return cache.gates.map(
    ({ scores, weightNorms }, gate) =>
      known[gate] ?? family.fit({ scores, targets, weightNorms, ...createGateContext(cache, gate) }),
  )
}

/**
 * Fits how the rows that no gate lets go are answered.
 *
 * @returns the parameters; null for a family that leaves the full network's answers alone, for a network without gates,
 * and where those answers are the targets, so that nothing could be better
 * @throws ShapeMismatchError, InvalidArgumentError, NonFiniteValueError for a cache that does not fit together
 */
export function fitEndParameters(cache: ScoreCache, { end }: PolicyFamily): JsonObject | null {
  const targets = findTargets(cache)
  const { gates, final, labels } = cache
  if (end === undefined || gates.length === 0 || labels === null) return null
  return end.fit({ scores: final, targets, ...createGateContext(cache, gates.length) })
}

/**
 * The table that thresholds are chosen from. The parameters may come from other samples than the cache's.
 *
 * @param parameters one per gate, as `fitGateParameters` gives them
 * @param endParameters as `fitEndParameters` gives them; null leaves the full network's answers alone
 * @throws ShapeMismatchError, InvalidArgumentError, NonFiniteValueError for parts that do not fit together
 */
export function createExitTable(
  cache: ScoreCache,
  family: PolicyFamily,
  parameters: readonly JsonObject[],
  cost: ExitCost,
  endParameters: JsonObject | null = null,
): ExitTable {
  const targets = findTargets(cache)
  if (parameters.length !== cache.gates.length) {
    throw new ShapeMismatchError('parameters', [parameters.length], [cache.gates.length])
  }
  const endAnswer = endParameters === null ? undefined : createEndAnswer(family, endParameters)
  const table = {
    samples: cache.final.rows,
    gates: cache.gates.map(({ scores }, gate) => {
      const context = createGateContext(cache, gate)
      const rule = createGateRule(family, parameters[gate] as JsonObject, Number.POSITIVE_INFINITY)
      return {
        scores: rule.score(scores, context),
        right: markRight(rule.answer?.(scores, context) ?? scores, targets),
        range: family.range,
      }
    }),
    finalRight: markRight(cache.final, targets),
    endRight: endAnswer && markRight(endAnswer(cache.final, createGateContext(cache, cache.gates.length)), targets),
    cost,
  }
  checkExitTable(table)
  return table
}

/**
 * The cache of some of the samples, copied, e.g. to fit on one part and judge on another.
 *
 * @param rows indices of samples, in the order wanted
 */
export function selectCachedSamples(cache: ScoreCache, rows: Uint32Array): ScoreCache {
  const { labels } = cache
  return {
    gates: cache.gates.map((gate) => ({
      ...gate,
      scores: selectScores(gate.scores, rows),
      features: gate.features && selectFeatures(gate.features, rows),
    })),
    final: selectScores(cache.final, rows),
    labels: labels === null ? null : Int32Array.from(rows, (row) => labels[row] as number),
  }
}

/**
 * The cache of the network with some of its gates: the others are no earlier gates either.
 *
 * @param gates indices into `cache.gates`, ascending
 */
export function selectCachedGates(cache: ScoreCache, gates: readonly number[]): ScoreCache {
  return { ...cache, gates: cache.gates.filter((_, gate) => gates.includes(gate)) }
}

/** What a gate of the cache, or the network's end behind the last one, knows of the samples besides its class scores. */
export function createGateContext({ gates }: ScoreCache, gate: number): GateContext {
  return { earlier: gates.slice(0, gate).map(({ scores }) => scores), features: gates[gate]?.features }
}

/** The class every sample should get, once the whole cache is known to fit together. */
function findTargets({ gates, final, labels }: ScoreCache): Int32Array {
  const { rows, classCount } = final
  if (rows === 0) throw new InvalidArgumentError('The score cache holds zero samples; pass calibration data.')
  checkScores('The full network', final, rows, classCount)
  gates.forEach(({ scores, features }, gate) => {
    checkScores(`Gate ${gate}`, scores, rows, classCount)
    if (features !== undefined) checkFeatures(`Gate ${gate}`, features, rows)
  })
  if (labels === null) return argmaxRows(final)
  if (labels.length !== rows) throw new ShapeMismatchError('labels', [labels.length], [rows])
  const row = labels.findIndex((label) => !(label >= 0 && label < classCount))
  if (row < 0) return labels
  throw new InvalidArgumentError(`The label of sample ${row} is ${labels[row]}; classes are 0 to ${classCount - 1}.`)
}

function checkScores(what: string, { data, ...shape }: ClassScores, rows: number, classCount: number): void {
  if (shape.rows !== rows || shape.classCount !== classCount) {
    throw new ShapeMismatchError(`${what}'s scores`, [shape.rows, shape.classCount], [rows, classCount])
  }
  if (data.length !== rows * classCount) {
    throw new ShapeMismatchError(`${what}'s scores.data`, [data.length], [rows * classCount])
  }
  checkFinite(`${what}'s scores`, data, classCount)
}

function markRight(scores: ClassScores, targets: Int32Array): Uint8Array {
  const right = new Uint8Array(scores.rows)
  argmaxRows(scores).forEach((answer, row) => {
    right[row] = answer === targets[row] ? 1 : 0
  })
  return right
}

function checkFeatures(what: string, features: PooledFeatures, rows: number): void {
  const { data, width } = features
  if (features.rows !== rows || data.length !== rows * width) {
    throw new ShapeMismatchError(`${what}'s features`, [features.rows, data.length / features.rows], [rows, width])
  }
  checkFinite(`${what}'s features`, data, width)
}

function selectScores({ data, classCount }: ClassScores, rows: Uint32Array): ClassScores {
  return { data: selectRows(data, classCount, rows), rows: rows.length, classCount }
}

function selectFeatures({ data, width }: PooledFeatures, rows: Uint32Array): PooledFeatures {
  return { data: selectRows(data, width, rows), rows: rows.length, width }
}

function selectRows(data: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const selected = new Float32Array(rows.length * width)
  rows.forEach((row, index) => {
    selected.set(data.subarray(row * width, (row + 1) * width), index * width)
  })
  return selected
}
