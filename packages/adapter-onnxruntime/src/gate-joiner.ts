import type { PolicyExpression, WholeNetwork } from '@sluice/core'
import {
  type FusedStage,
  fusedOutputs,
  fuseStages,
  isFusable,
  readOnnxModel,
  removeFeatures,
  requireThresholds,
  roundThreshold,
  thresholdName,
  writeOnnxModel,
} from '@sluice/onnx-graph'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { SessionFactory } from './session-factory.ts'
import type { StageFile } from './stage-file.ts'

/** Joins the stages of one bundle with gates. */
export interface GateJoiner {
  /** See `StagedModel.joinGates`. */
  joinGates(expression: PolicyExpression): WholeNetwork
  /** Frees the sessions; call it within the queue. */
  release(): Promise<void>
}

/** What a joiner works with. */
export interface GateJoinerOptions {
  readonly classCount: number
  readonly sessions: SessionFactory
  /** The stages as they are run one by one. Called within the queue, with every new set of scores: nobody keeps them. */
  readonly readStages: () => Promise<readonly StageFile[]>
}

/** A serialised message has at most 2 GiB; a tenth is left for what gates need. */
const mostBytes = 0.9 * 2 ** 31

/**
 * Whether stages can be joined with their gates in one graph.
 * @param limitBytes of all stages together
 */
export function canJoinStages(stages: readonly StageFile[], limitBytes = mostBytes): boolean {
  const [first] = stages
  if (first === undefined || stages.length < 2) return false
  const bytes = stages.reduce((sum, { model }) => sum + model.length, 0)
  return bytes <= limitBytes && isFusable(readFusedStage(first, 0), stages.length)
}

/**
 * Joins stages and gates in one session, so that neither activations nor decisions pass through JavaScript. There is a
 * session for each set of expressions, created with its first run; thresholds are inputs.
 */
export function createGateJoiner({ classCount, sessions, readStages }: GateJoinerOptions): GateJoiner {
  const { exclusively, runtime } = sessions
  const loaded = new Map<string, Promise<InferenceSession>>()

  const load = async (expression: PolicyExpression): Promise<InferenceSession> => {
    const stages = await readStages()
    const fused = fuseStages(stages.map(readFusedStage), expression, classCount)
    const names = Array.from(expression.gates.keys(), thresholdName)
    const model = writeOnnxModel(requireThresholds(fused, names))
    return await sessions.create(model, 'Loading the joined stages', stages[0]?.sessionOptions)
  }

  /** Call it within the queue. What failed is tried again the next time. */
  const getSession = (key: string, expression: PolicyExpression): Promise<InferenceSession> => {
    const session = loaded.get(key) ?? load(expression)
    loaded.set(key, session)
    session.catch(() => loaded.delete(key))
    return session
  }

  return {
    joinGates(expression) {
      const key = JSON.stringify(expression, (property, value) => (property === 'threshold' ? undefined : value))
      const thresholdFeeds: Record<string, Tensor> = {}
      for (const [index, gate] of expression.gates.entries()) {
        if (gate === null) continue
        const threshold = Float32Array.of(roundThreshold(gate.threshold))
        thresholdFeeds[thresholdName(index)] = new runtime.Tensor('float32', threshold, [])
      }
      return (batch) =>
        exclusively(async () => {
          const session = await getSession(key, expression)
          const [input = ''] = session.inputNames
          const images = new runtime.Tensor('float32', batch.data as Float32Array, batch.dims)
          const feeds = { [input]: images, ...thresholdFeeds }
          const { [fusedOutputs.scores]: scores, [fusedOutputs.exit]: exit } = await sessions.run(
            session,
            'Running the joined stages',
            feeds,
          )
          const data = scores?.data as Float32Array
          return {
            scores: { data, rows: data.length / classCount, classCount },
            exits: Uint32Array.from(exit?.data as BigInt64Array, Number),
          }
        })
    },
    async release() {
      for (const session of loaded.values()) await (await session).release()
      loaded.clear()
    },
  }
}

/** Features are left out: no score that a graph can decide by looks at them. */
function readFusedStage({ description, model }: StageFile, index: number): FusedStage {
  const { file, input, output, scores, scoresInput, features } = description
  const stage = readOnnxModel(model, { source: `'${file}'` })
  return {
    index,
    model: features === undefined ? stage : removeFeatures(stage, features),
    input,
    output,
    scores,
    scoresInput,
  }
}
