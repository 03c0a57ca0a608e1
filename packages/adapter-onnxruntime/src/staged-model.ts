import {
  type Activation,
  type ClassScores,
  checkBatch,
  checkSelectedRows,
  type DeviceRows,
  DisposedError,
  InvalidArgumentError,
  type PolicyExpression,
  type PooledFeatures,
  ShapeMismatchError,
  type StageDescription,
  type StagedModel,
  type StagedNetwork,
  type WholeNetwork,
} from '@sluice/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { ActivationBlock } from './activation-block.ts'
import type { ActivationStore } from './activation-store.ts'
import { freeCopy } from './free-copy.ts'
import type { GateJoiner } from './gate-joiner.ts'
import type { SessionFactory } from './session-factory.ts'

/** A stage's description and the session that runs it. */
export interface LoadedStage {
  readonly description: StageDescription
  readonly session: InferenceSession
}

/** What a staged model is made of; the model owns the sessions and the store. */
export interface StagedModelParts {
  readonly network: StagedNetwork
  readonly stages: readonly LoadedStage[]
  readonly sessions: SessionFactory
  readonly store: ActivationStore
  /** Absent where gates are decided one by one alone. */
  readonly joiner?: GateJoiner | undefined
}

/**
 * What a stage takes, row for row: the cut tensor and, where its head looks at them, the class scores of the gate in front.
 */
type StageInputs = readonly [activation: ActivationBlock, ...scores: ActivationBlock[]]

/** What stands behind an activation handed out. */
interface Handle {
  /** The stage that takes the activation. */
  readonly stage: number
  readonly inputs: StageInputs
  disposed: boolean
}

/** A staged model over one session per stage. */
export function createStagedModel({ network, stages, sessions, store, joiner }: StagedModelParts): StagedModel {
  const { exclusively } = sessions
  const handles = new WeakMap<Activation, Handle>()
  let liveHandles = 0
  let disposed = false

  const describeScores = (data: Float32Array, rows: number): ClassScores => {
    return { data, rows, classCount: network.classCount }
  }

  const checkAlive = () => {
    if (disposed) throw new DisposedError('The staged model')
  }

  const handOut = (stage: number, ...inputs: StageInputs): Activation => {
    const handle: Handle = { stage, inputs, disposed: false }
    const activation: Activation = {
      rows: inputs[0].tensor.dims[0] as number,
      dispose() {
        if (handle.disposed) return
        handle.disposed = true
        liveHandles--
        releaseAll(inputs)
      },
    }
    liveHandles++
    handles.set(activation, handle)
    return activation
  }

  const handleOf = (activation: Activation): Handle => {
    checkAlive()
    const handle = handles.get(activation)
    if (handle === undefined) {
      throw new InvalidArgumentError(
        'The activation is not of this staged model; pass what its upload or runStage gave.',
      )
    }
    if (handle.disposed) throw new DisposedError('The activation')
    return handle
  }

  /** Runs a task alone while the blocks' memory is kept, even if their owner disposes them meanwhile. */
  const whileKept = <T>(blocks: readonly ActivationBlock[], task: () => Promise<T>): Promise<T> => {
    const kept = blocks.map((block) => block.share())
    return exclusively(task).finally(() => releaseAll(kept))
  }

  /**
   * @param describe makes what `read` gives of the numbers
   * @param isShared whether the next stage takes the same memory, so that the caller must get a copy
   */
  const handOutRows = <Rows>(
    block: ActivationBlock,
    describe: (data: Float32Array, rows: number) => Rows,
    isShared: boolean,
  ): DeviceRows<Rows> => {
    const rows = block.tensor.dims[0] as number
    let released = false
    liveHandles++
    return {
      rows,
      async read() {
        checkAlive()
        if (released) throw new DisposedError('The scores or features')
        const isOnHost = block.tensor.location === 'cpu'
        const values = isOnHost ? block.tensor.data : await whileKept([block], () => block.tensor.getData())
        const data = values as Float32Array
        return describe(isShared ? data.slice() : data, rows)
      },
      dispose() {
        if (released) return
        released = true
        liveHandles--
        block.release()
      },
    }
  }

  return {
    specVersion: 'v1',
    network,
    get liveHandles() {
      return liveHandles
    },
    async upload(batch) {
      checkAlive()
      if (checkBatch(batch, network.input) === 0) {
        throw new ShapeMismatchError('The batch', batch.dims, ['rows >= 1', ...network.input.shape])
      }
      return handOut(0, store.upload(batch.data as Float32Array, batch.dims))
    },
    async runStage(index, activation) {
      const handle = handleOf(activation)
      const stage = stages[index]
      if (stage === undefined || handle.stage !== index) {
        throw new InvalidArgumentError(`Stage ${index} was given the input of stage ${handle.stage}; run that one.`)
      }
      return await whileKept(handle.inputs, async () => {
        const { output, scores, features } = await runStage(stage, handle.inputs, sessions, store)
        const carried = stages[index + 1]?.description.scoresInput === undefined ? [] : [scores.share()]
        return {
          activation: output && handOut(index + 1, output, ...carried),
          scores: handOutRows(scores, describeScores, carried.length > 0),
          features: features && handOutRows(features, describeFeatures, false),
        }
      })
    },
    async selectRows(activation, rows) {
      const { inputs, stage } = handleOf(activation)
      checkSelectedRows(rows, activation.rows)
      return await whileKept(inputs, async () => handOut(stage, ...(await selectAll(store, inputs, rows))))
    },
    ...(joiner && {
      joinGates(expression: PolicyExpression): WholeNetwork {
        const run = joiner.joinGates(expression)
        return async (batch) => {
          checkAlive()
          return await run(batch)
        }
      },
    }),
    async dispose() {
      if (disposed) return
      disposed = true
      await exclusively(async () => {
        await store.release()
        await joiner?.release()
        for (const { session } of stages) await session.release()
      })
    },
  }
}

function describeFeatures(data: Float32Array, rows: number): PooledFeatures {
  return { data, rows, width: data.length / rows }
}

function releaseAll(blocks: readonly ActivationBlock[]): void {
  for (const block of blocks) block.release()
}

/** The given rows of everything that a stage takes. */
async function selectAll(
  store: ActivationStore,
  [activation, ...scores]: StageInputs,
  rows: Uint32Array,
): Promise<StageInputs> {
  const selected: [ActivationBlock, ...ActivationBlock[]] = [await store.select(activation, rows)]
  try {
    for (const block of scores) selected.push(await store.select(block, rows))
    return selected
  } catch (error) {
    releaseAll(selected)
    throw error
  }
}

interface StageOutputBlocks {
  readonly output: ActivationBlock | null
  readonly scores: ActivationBlock
  readonly features?: ActivationBlock
}

/** One session run: the next activation, the class scores, and pooled features where the stage yields them. */
async function runStage(
  { description, session }: LoadedStage,
  [input, earlier]: StageInputs,
  sessions: SessionFactory,
  store: ActivationStore,
): Promise<StageOutputBlocks> {
  const { output, outputShape, scores, scoresInput, features } = description
  const reserved = outputShape && store.reserve([input.tensor.dims[0] as number, ...outputShape])
  const feeds: { [name: string]: Tensor } = { [description.input]: input.tensor }
  if (scoresInput !== undefined && earlier !== undefined) feeds[scoresInput] = earlier.tensor
  const fetches: { [name: string]: Tensor | null } = { [scores]: null }
  if (output !== null) fetches[output] = reserved?.tensor ?? null
  if (features !== undefined) fetches[features.output] = null
  try {
    const results = await sessions.run(session, `Running '${description.file}'`, feeds, fetches)
    const adopt = (name: string) => store.adopt(results[name] as Tensor)
    if (output === null) return { output, scores: adopt(scores) }
    if (reserved) freeCopy(results[output], reserved.tensor)
    const yielded = { output: reserved ?? adopt(output), scores: adopt(scores) }
    return features === undefined ? yielded : { ...yielded, features: adopt(features.output) }
  } catch (error) {
    reserved?.release()
    throw error
  }
}
