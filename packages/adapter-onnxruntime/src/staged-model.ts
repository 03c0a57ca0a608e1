import {
  type Activation,
  checkBatch,
  checkSelectedRows,
  type DeviceScores,
  DisposedError,
  InvalidArgumentError,
  ShapeMismatchError,
  type StageDescription,
  type StagedModel,
  type StagedNetwork,
} from '@sluice/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { ActivationBlock } from './activation-block.ts'
import type { ActivationStore } from './activation-store.ts'
import { freeCopy } from './free-copy.ts'
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
}

/** What stands behind an activation handed out. */
interface Handle {
  /** The stage that takes the activation. */
  readonly stage: number
  readonly block: ActivationBlock
  disposed: boolean
}

/** A staged model over one session per stage. */
export function createStagedModel({ network, stages, sessions, store }: StagedModelParts): StagedModel {
  const { exclusively } = sessions
  const handles = new WeakMap<Activation, Handle>()
  let liveHandles = 0
  let disposed = false

  const checkAlive = () => {
    if (disposed) throw new DisposedError('The staged model')
  }

  const handOut = (stage: number, block: ActivationBlock): Activation => {
    const handle: Handle = { stage, block, disposed: false }
    const activation: Activation = {
      rows: block.tensor.dims[0] as number,
      dispose() {
        if (handle.disposed) return
        handle.disposed = true
        liveHandles--
        block.release()
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

  /** Runs a task alone while the activation's memory is kept, even if its owner disposes it meanwhile. */
  const withBlock = <T>(block: ActivationBlock, task: (kept: ActivationBlock) => Promise<T>): Promise<T> => {
    const kept = block.share()
    return exclusively(() => task(kept)).finally(() => kept.release())
  }

  const handOutScores = (block: ActivationBlock): DeviceScores => {
    const { classCount } = network
    const rows = block.tensor.dims[0] as number
    let released = false
    liveHandles++
    return {
      rows,
      async read() {
        checkAlive()
        if (released) throw new DisposedError('The scores')
        const isOnHost = block.tensor.location === 'cpu'
        const data = isOnHost ? block.tensor.data : await withBlock(block, ({ tensor }) => tensor.getData())
        return { data: data as Float32Array, rows, classCount }
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
      return await withBlock(handle.block, async ({ tensor }) => {
        const { output, scores } = await runStage(stage, tensor, sessions, store)
        return { activation: output && handOut(index + 1, output), scores: handOutScores(scores) }
      })
    },
    async selectRows(activation, rows) {
      const { block, stage } = handleOf(activation)
      checkSelectedRows(rows, activation.rows)
      return handOut(stage, await withBlock(block, (kept) => store.select(kept, rows)))
    },
    async dispose() {
      if (disposed) return
      disposed = true
      await exclusively(async () => {
        await store.release()
        for (const { session } of stages) await session.release()
      })
    },
  }
}

/** One session run: the next activation and the class scores. */
async function runStage(
  { description, session }: LoadedStage,
  input: Tensor,
  sessions: SessionFactory,
  store: ActivationStore,
): Promise<{ output: ActivationBlock | null; scores: ActivationBlock }> {
  const { output, outputShape, scores } = description
  const reserved = outputShape && store.reserve([input.dims[0] as number, ...outputShape])
  const fetches: { [name: string]: Tensor | null } = { [scores]: null }
  if (output !== null) fetches[output] = reserved?.tensor ?? null
  try {
    const results = await sessions.run(
      session,
      `Running '${description.file}'`,
      { [description.input]: input },
      fetches,
    )
    const adopt = (name: string) => store.adopt(results[name] as Tensor)
    if (output === null) return { output, scores: adopt(scores) }
    if (reserved) freeCopy(results[output], reserved.tensor)
    return { output: reserved ?? adopt(output), scores: adopt(scores) }
  } catch (error) {
    reserved?.release()
    throw error
  }
}
