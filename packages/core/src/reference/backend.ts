import type { Activation, Backend, DeviceFeatures, DeviceScores, StagedModel } from '../backend.ts'
import { checkBatch, checkSelectedRows } from '../batch.ts'
import type { Bundle, BundleManifest } from '../bundle.ts'
import type { ClassScores } from '../class-scores.ts'
import { DisposedError, InvalidArgumentError, ShapeMismatchError, UnsupportedBundleError } from '../errors.ts'
import type { PolicyExpression } from '../gate-expression.ts'
import { evaluateAnswerExpression, evaluateScoreExpression, type ScoreExpression } from '../score-expression.ts'
import { checkSpecVersion } from '../spec-version.ts'
import type { Tensor } from '../tensor.ts'
import { applyHead, applyLayers, joinFeatures, joinScores, type ReferenceStage, splitRows } from './network.ts'

/** A backend in plain TypeScript, row by row: slow, and simple enough to be the measure of all others. */
export function createReferenceBackend(): Backend {
  const name = 'reference'
  return {
    specVersion: 'v1',
    name,
    capabilities: { formats: ['reference'], device: 'cpu' },
    async load(bundle) {
      const { manifest } = bundle
      checkSpecVersion('The bundle', manifest)
      if (manifest.format !== 'reference') {
        throw new UnsupportedBundleError(name, `its format is '${manifest.format}', not 'reference'.`)
      }
      return createReferenceModel(
        manifest,
        await Promise.all(manifest.stages.map(({ file }) => readStage(name, bundle, file))),
      )
    },
  }
}

async function readStage(backend: string, bundle: Bundle, file: string): Promise<ReferenceStage> {
  const text = new TextDecoder().decode(await bundle.read(file))
  try {
    return JSON.parse(text) as ReferenceStage
  } catch (cause) {
    throw new UnsupportedBundleError(backend, `'${file}' is not JSON (${cause}). Create the bundle anew.`)
  }
}

/** What stands behind an activation, scores or features. `stage` is the one that takes the activation. */
interface Values {
  readonly stage: number
  readonly rows: readonly Float32Array[]
  /** Class scores of the gate in front, of the same rows; null behind a batch, scores and features. */
  readonly earlier: readonly Float32Array[] | null
}

function createReferenceModel(manifest: BundleManifest, stages: readonly ReferenceStage[]): StagedModel {
  const { input, classes } = manifest
  const given = new WeakMap<object, Values>()
  /** Every handle given out and not yet disposed. */
  const live = new Set<object>()
  let disposed = false

  function checkLoaded(): void {
    if (disposed) throw new DisposedError('A reference model')
  }

  function getValues(what: string, handle: object): Values {
    checkLoaded()
    const values = given.get(handle)
    if (values === undefined) throw new InvalidArgumentError(`${what} of another model was passed; pass one of this.`)
    if (!live.has(handle)) throw new DisposedError(what)
    return values
  }

  function handOut<T extends object>(handle: T, values: Values): T {
    given.set(handle, values)
    live.add(handle)
    return handle
  }

  function createActivation(values: Values): Activation {
    const handle = { rows: values.rows.length, dispose: () => void live.delete(handle) }
    return handOut(handle, values)
  }

  function createScores(values: Values): DeviceScores {
    const handle = {
      rows: values.rows.length,
      read: async () => joinScores(getValues('A score array', handle).rows, classes.length),
      dispose: () => void live.delete(handle),
    }
    return handOut(handle, values)
  }

  function createFeatures(values: Values): DeviceFeatures {
    const handle = {
      rows: values.rows.length,
      read: async () => joinFeatures(getValues('A feature array', handle).rows),
      dispose: () => void live.delete(handle),
    }
    return handOut(handle, values)
  }

  return {
    specVersion: 'v1',
    network: { input, classCount: classes.length, stages: manifest.stages },
    get liveHandles() {
      return live.size
    },
    async upload(batch) {
      checkLoaded()
      const rows = checkBatch(batch, input)
      if (rows === 0) throw new ShapeMismatchError('The batch', batch.dims, ['rows >= 1', ...input.shape])
      return createActivation({ stage: 0, rows: splitRows((batch as Tensor<'float32'>).data, rows), earlier: null })
    },
    async runStage(index, activation) {
      const values = getValues('An activation', activation)
      const stage = getStage(stages, index, values.stage)
      const rows = values.rows.map((row) => applyLayers(stage.layers, row))
      const scores = rows.map((row, position) => applyHead(stage, row, values.earlier?.[position]))
      const next = index + 1
      return {
        activation: stage.head === null ? null : createActivation({ stage: next, rows, earlier: scores }),
        scores: createScores({ stage: next, rows: scores, earlier: null }),
        features: stage.yieldsFeatures ? createFeatures({ stage: next, rows, earlier: null }) : undefined,
      }
    },
    async selectRows(activation, rows) {
      const values = getValues('An activation', activation)
      checkSelectedRows(rows, values.rows.length)
      const take = (source: readonly Float32Array[]) => Array.from(rows, (row) => source[row] as Float32Array)
      return createActivation({ ...values, rows: take(values.rows), earlier: values.earlier && take(values.earlier) })
    },
    joinGates: (expression) => async (batch) => {
      checkLoaded()
      const rows = splitRows((batch as Tensor<'float32'>).data, batch.dims[0] ?? 0)
      const answers = rows.map((row) => answerRow(stages, expression, row))
      const scores = answers.map((answer) => answer.scores)
      return { scores: joinScores(scores, classes.length), exits: Uint32Array.from(answers, ({ exit }) => exit) }
    },
    async dispose() {
      disposed = true
    },
  }
}

/** One row from stage to stage until a gate lets it go. */
function answerRow(stages: readonly ReferenceStage[], { gates, end }: PolicyExpression, sample: Float32Array) {
  let row = sample
  let scores: Float32Array | undefined
  const earlier: ClassScores[] = []
  for (const [exit, stage] of stages.entries()) {
    row = applyLayers(stage.layers, row)
    scores = applyHead(stage, row, scores)
    const own = joinScores([scores], scores.length)
    const answer = (expression: ScoreExpression = 'scores') => {
      return { scores: evaluateAnswerExpression(expression, own, earlier).data, exit }
    }
    const gate = gates[exit]
    if (gate === undefined) return answer(end)
    if (gate === null) continue
    const [value = Number.NaN] = evaluateScoreExpression(gate.score, own, earlier)
    if (value >= gate.threshold) return answer(gate.answer)
    earlier.push(own)
  }
  throw new InvalidArgumentError(`A network of ${stages.length} stages has fewer gates than ${gates.length}.`)
}

function getStage(stages: readonly ReferenceStage[], index: number, due: number): ReferenceStage {
  const stage = stages[index]
  if (stage === undefined) throw new InvalidArgumentError(`Stage ${index} does not exist; there are ${stages.length}.`)
  if (index !== due) throw new InvalidArgumentError(`Stage ${index} was given the input of stage ${due}; run that one.`)
  return stage
}
