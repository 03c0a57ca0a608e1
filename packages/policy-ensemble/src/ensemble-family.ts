import {
  type ClassScores,
  type GateContext,
  type GateSample,
  InvalidArgumentError,
  type JsonObject,
  joinFittedGates,
  type PolicyFamily,
  replaceScores,
  type ScoreExpression,
  ShapeMismatchError,
} from '@sluice/core'
import { combineScores, type EnsembleWeights, expressCombination } from './combine-scores.ts'
import { type FittedWeights, fitWeights } from './fit-weights.ts'

export interface EnsembleFamilyOptions {
  /**
   * Scores the ensemble's log-probabilities as it would score a gate's class scores, e.g.
   * `createSoftmaxFamily({ fitTemperature: false })`: the weights hold the temperature.
   */
  readonly base: PolicyFamily
}

/**
 * The geometric ensemble of Zero Time Waste (Wołczyk et al. 2021, arXiv 2106.05409, section 3.2): at gate `k` the class
 * probabilities are `softmax(b + Σ_{i<=k} w_i log p_i)` with `w_i > 0`, from this gate and those in front; the base family
 * scores them, and rows that leave answer with their logarithms. `fit` learns weights and biases per gate by minimal
 * cross-entropy on the tuning samples, then the base on the result: `{ weights, bias, base }`, the gate's own weight last.
 * Rows that reach the end are answered by the ensemble of all gates and the full network (`end`: `{ weights, bias }`).
 * Every head is used as it is: the paper's cascaded heads are a matter of training.
 *
 * The name is `ensemble` over softmax, else `ensemble-` and the base's.
 *
 * @throws InvalidArgumentError for a base that itself looks at earlier gates or gives answers of its own
 */
export function createEnsembleFamily({ base }: EnsembleFamilyOptions): PolicyFamily {
  if (base.usesEarlierGates || base.createAnswer) {
    throw new InvalidArgumentError(
      `The policy '${base.name}' looks at earlier gates or changes answers itself; build the ensemble over one that scores a gate alone, e.g. softmax.`,
    )
  }
  const { expressScore } = base
  return {
    specVersion: 'v1',
    name: base.name === 'softmax' ? 'ensemble' : `ensemble-${base.name}`,
    range: base.range,
    usesEarlierGates: true,
    fit(sample) {
      const ensemble = fitEnsemble(sample)
      const scores = combineScores(joinGates(sample), ensemble)
      return { ...ensemble, base: base.fit({ ...sample, scores, earlier: [] }) }
    },
    createScore(parameters) {
      const combine = createCombination(parameters)
      const score = base.createScore(readBase(parameters))
      return (scores, context) => score(combine(scores, context))
    },
    createAnswer: createCombination,
    ...(expressScore && {
      expressScore: (parameters: JsonObject, classCount: number) =>
        replaceScores(expressScore(readBase(parameters), classCount), express(parameters, classCount)),
    }),
    expressAnswer: express,
    end: { fit: fitEnsemble, createAnswer: createCombination, express },
  }
}

/** What {@link createCombination} gives, as data. */
function express(parameters: JsonObject, classCount: number): ScoreExpression {
  const ensemble = readWeights(parameters)
  if (ensemble.bias.length === classCount) return expressCombination(ensemble)
  throw new ShapeMismatchError('bias', [ensemble.bias.length], [classCount])
}

type EnsembleSample = Omit<GateSample, 'weightNorms'>

function fitEnsemble(sample: EnsembleSample): FittedWeights & JsonObject {
  const { weights, bias } = fitWeights(joinGates(sample), sample.targets)
  return { weights, bias }
}

function joinGates({ earlier = [], scores }: EnsembleSample): readonly ClassScores[] {
  return [...earlier, scores]
}

function createCombination(parameters: JsonObject): (scores: ClassScores, context?: GateContext) => ClassScores {
  const ensemble = readWeights(parameters)
  const [gateCount, classCount] = [ensemble.weights.length, ensemble.bias.length]
  return (scores, context) => {
    if (scores.classCount !== classCount) {
      throw new ShapeMismatchError('scores', [scores.rows, scores.classCount], [scores.rows, classCount])
    }
    return combineScores(joinFittedGates(scores, context, gateCount), ensemble)
  }
}

function readWeights({ weights, bias }: JsonObject): EnsembleWeights {
  if (!isNumberList(weights) || weights.some((weight) => weight < 0)) refuse('weights', weights)
  if (!isNumberList(bias)) refuse('bias', bias)
  return { weights, bias }
}

function readBase({ base }: JsonObject): JsonObject {
  const isObject = typeof base === 'object' && base !== null && !Array.isArray(base)
  return isObject ? (base as JsonObject) : refuse('base', base)
}

function isNumberList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite)
}

function refuse(key: string, value: unknown): never {
  throw new InvalidArgumentError(
    `The ensemble has ${key} ${JSON.stringify(value)?.slice(0, 60)}, which this release never writes. Calibrate the bundle again.`,
  )
}
