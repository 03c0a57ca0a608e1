import type { Activation, StagedModel, WholeNetwork } from './backend.ts'
import { checkBatch, checkFinite } from './batch.ts'
import { checkFeatures } from './check-features.ts'
import type { ClassScores } from './class-scores.ts'
import { BackendContractError, PolicyContractError } from './errors.ts'
import type { ExitPolicy } from './exit-policy.ts'
import type { ExitScore } from './exit-score.ts'
import { createFlopCounter } from './flop-counter.ts'
import { collectPredictions, describeAnswers, type ExitGroup, type Predictions } from './predictions.ts'
import { readStageResult } from './read-stage-result.ts'
import { createRowIndices, splitAllLeaving, splitByMask, takeIndices, takeScores } from './row-groups.ts'
import { checkSpecVersion } from './spec-version.ts'
import { createSurestAnswers } from './surest-answers.ts'
import type { Tensor } from './tensor.ts'
import { checkWholeResult, joinGates } from './whole-network.ts'

/** What a gated model is made of. The caller owns the model and disposes it after the last run. */
export interface GatedModelParts {
  readonly model: StagedModel
  readonly policy: ExitPolicy
  /**
   * How sure an answer is, on one scale for gates and the network's end, e.g. the greatest softmax: a row that no gate lets
   * go is then answered by the surest of all exits (SDN, arXiv 1810.07052, section 4.1). The network's end answers where
   * absent.
   */
  readonly mostConfident?: ExitScore | undefined
}

/** Options of one run. */
export interface RunOptions {
  /** Looked at before every call of the backend; the run then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A network whose rows leave at the gates. It holds no resources of its own, so there is nothing to dispose, and any
 * number of runs may be in progress at once.
 *
 * Both methods take a preprocessed batch `[rows, ...input.shape]` and read it without a copy: leave it unchanged until
 * the first group of rows has come out. They fail before anything runs with DataTypeMismatchError, ShapeMismatchError or
 * NonFiniteValueError; later with NonFiniteValueError for scores that are not finite, PolicyContractError,
 * BackendContractError, or the reason of the signal. A batch of zero rows never reaches the backend. However a run ends,
 * every activation, score and feature it held is disposed.
 */
export interface GatedModel {
  /**
   * Yields each group of rows as soon as its gate lets it go, in the order of the stages; the rest of the network runs
   * when the next group is asked for. Leaving the loop early ends the run.
   */
  run(batch: Tensor, options?: RunOptions): AsyncGenerator<ExitGroup, void, undefined>
  /**
   * Runs the whole batch; the answers stand in row order. Where policy and backend both can (`ExitPolicy.expression`,
   * `StagedModel.joinGates`), it does so in one call of the backend, which is faster.
   */
  predict(batch: Tensor, options?: RunOptions): Promise<Predictions>
}

/**
 * Joins a loaded network and an exit policy. After each gate the rows that stay are compacted, so later stages see
 * fewer rows; where none or all leave, nothing is copied. The last stage answers every row that is left.
 * @throws UnsupportedVersionError for a model or policy of another contract version
 * @throws InvalidArgumentError for a network whose stage costs are not safe integers, or a policy that uses features
 * which the network's gates do not yield
 */
export function createGatedModel({ model, policy, mostConfident }: GatedModelParts): GatedModel {
  checkSpecVersion('The staged model', model)
  checkSpecVersion(`Exit policy '${policy.name}'`, policy)
  const { input, classCount, stages } = model.network
  const counter = createFlopCounter(model.network)
  const reading = { network: model.network, usesFeatures: policy.usesFeatures ?? false }
  checkFeatures(policy, model.network)
  const runWhole = mostConfident === undefined ? joinGates(model, policy) : null

  /** @returns the number of rows */
  function checkInput(batch: Tensor): number {
    const rows = checkBatch(batch, input)
    checkFinite('The batch', batch.data as Float32Array, batch.data.length / rows)
    return rows
  }

  async function* run(batch: Tensor, { signal }: RunOptions = {}): AsyncGenerator<ExitGroup, void, undefined> {
    const batchSize = checkInput(batch)
    if (batchSize === 0) return
    signal?.throwIfAborted()
    let rows = createRowIndices(batchSize)
    let state = policy.init(batchSize)
    const surest = mostConfident && createSurestAnswers(mostConfident, batchSize, classCount)
    let activation: Activation | null = await model.upload(batch)
    try {
      for (let stage = 0; ; stage++) {
        signal?.throwIfAborted()
        const entering = requireActivation(activation, stage)
        const result = await model.runStage(stage, entering)
        entering.dispose()
        activation = result.activation
        const { scores, features } = await readStageResult(result, { ...reading, stage, rows })
        const macsPerRow = counter.countThrough(stage)
        const observation = { stage, scores, features, rowIndices: rows, macsSpent: macsPerRow }

        let split = splitAllLeaving(rows.length)
        let revised: ClassScores | undefined
        if (stage < stages.length - 1) {
          const decision = policy.decide(observation, state)
          state = decision.state
          split = splitByMask(policy.name, decision.exit, rows.length)
          revised = decision.scores
        } else revised = policy.finish?.(observation, state)
        let answers = revised === undefined ? scores : checkAnswers(policy.name, revised, scores, rows)
        surest?.note(rows, answers)
        if (surest !== undefined && stage === stages.length - 1) answers = surest.take(rows)
        const { leaving, staying } = split
        if (leaving.length > 0) {
          yield { stage, rows: takeIndices(rows, leaving), scores: takeScores(answers, leaving), macsPerRow }
        }
        if (staying.length === 0) return
        if (leaving.length > 0) {
          const everyone = requireActivation(activation, stage + 1)
          activation = await model.selectRows(everyone, staying)
          everyone.dispose()
          rows = takeIndices(rows, staying)
        }
      }
    } finally {
      activation?.dispose()
    }
  }

  async function predictInStages(batch: Tensor, options?: RunOptions): Promise<Predictions> {
    const groups: ExitGroup[] = []
    for await (const group of run(batch, options)) groups.push(group)
    return collectPredictions(groups, classCount)
  }

  async function predictAtOnce(runWhole: WholeNetwork, batch: Tensor, { signal }: RunOptions): Promise<Predictions> {
    const rows = checkInput(batch)
    signal?.throwIfAborted()
    if (rows === 0) return collectPredictions([], classCount)
    const { scores, exits } = checkWholeResult(await runWhole(batch), { rows, network: model.network })
    return describeAnswers(scores, exits, counter)
  }

  return {
    run,
    predict: (batch, options = {}) =>
      runWhole === null ? predictInStages(batch, options) : predictAtOnce(runWhole, batch, options),
  }
}

function requireActivation(activation: Activation | null, stage: number): Activation {
  if (activation !== null) return activation
  throw new BackendContractError(`stage ${stage - 1} gave no activation although stage ${stage} follows.`)
}

/** What a policy answers instead of the gate or the full network. */
function checkAnswers(policyName: string, answers: ClassScores, own: ClassScores, rows: Uint32Array): ClassScores {
  const { data, rows: count, classCount } = answers
  if (count !== own.rows || classCount !== own.classCount || data.length !== own.data.length) {
    const actual = `${data.length} scores as [${count}, ${classCount}]`
    throw new PolicyContractError(policyName, `it answers with ${actual}; [${own.rows}, ${own.classCount}] were due.`)
  }
  checkFinite(`The answer of policy '${policyName}'`, data, classCount, rows)
  return answers
}
