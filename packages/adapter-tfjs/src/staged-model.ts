import {
  type Activation,
  type ClassScores,
  checkBatch,
  checkSelectedRows,
  type DeviceRows,
  DisposedError,
  InvalidArgumentError,
  type PooledFeatures,
  ShapeMismatchError,
  type StageDescription,
  type StagedModel,
  type StagedNetwork,
} from '@sluice/core'
import { gateFeaturePooling } from '@sluice/onnx-graph'
import type { Tensor } from '@tensorflow/tfjs'
import type { DeviceHead } from './device-head.ts'
import { InvalidTfjsModelError } from './errors.ts'
import type { LoadedModel } from './loaded-model.ts'
import { poolFeatures } from './pool-features.ts'
import { selectRows } from './select-rows.ts'
import type { Tfjs } from './tfjs.ts'

/** A stage's description and its gate's head; the last stage has none. */
export interface LoadedStage {
  readonly description: StageDescription
  readonly head: DeviceHead | null
}

/** What a staged model is made of; it owns the model and the heads. */
export interface StagedModelParts {
  readonly tf: Tfjs
  readonly network: StagedNetwork
  readonly model: LoadedModel
  readonly stages: readonly LoadedStage[]
}

/**
 * What a stage takes, row for row: the cut tensor and, where its head looks at them, the class scores of the gate in front.
 */
type StageInputs = readonly [activation: Tensor, ...scores: Tensor[]]

/** What stands behind an activation handed out. */
interface Held {
  /** The stage that takes the activation. */
  readonly stage: number
  readonly inputs: StageInputs
}

/**
 * A staged model on one loaded model. Everything but reading scores and features happens within the call, so that runs in
 * progress at once cannot meet inside the engine.
 */
export function createStagedModel({ tf, network, model, stages }: StagedModelParts): StagedModel {
  const activations = new WeakMap<Activation, Held>()
  /** The tensors of each activation, score and feature array. */
  const live = new Set<readonly Tensor[]>()
  let disposed = false

  const checkAlive = () => {
    if (disposed) throw new DisposedError('The staged model')
  }

  const createHandle = (tensors: StageInputs) => {
    live.add(tensors)
    return {
      rows: tensors[0].shape[0] as number,
      dispose() {
        if (live.delete(tensors)) tf.dispose([...tensors])
      },
    }
  }

  const handOut = (stage: number, ...inputs: StageInputs): Activation => {
    const activation = createHandle(inputs)
    activations.set(activation, { stage, inputs })
    return activation
  }

  /** @param describe makes what `read` gives of the numbers */
  const handOutRows = <Rows>(
    tensor: Tensor,
    describe: (data: Float32Array, shape: readonly number[]) => Rows,
  ): DeviceRows<Rows> => {
    const tensors: StageInputs = [tensor]
    return {
      ...createHandle(tensors),
      async read() {
        checkAlive()
        if (!live.has(tensors)) throw new DisposedError('The scores or features')
        // A copy, because some backends give the tensor's own memory.
        return describe((await tensor.data<'float32'>()).slice(), tensor.shape)
      },
    }
  }

  const requireHeld = (activation: Activation): Held => {
    checkAlive()
    const held = activations.get(activation)
    if (held === undefined) {
      throw new InvalidArgumentError(
        'The activation is not of this staged model; pass what its upload or runStage gave.',
      )
    }
    if (!live.has(held.inputs)) throw new DisposedError('The activation')
    return held
  }

  return {
    specVersion: 'v1',
    network,
    get liveHandles() {
      return live.size
    },
    async upload(batch) {
      checkAlive()
      if (checkBatch(batch, network.input) === 0) {
        throw new ShapeMismatchError('The batch', batch.dims, ['rows >= 1', ...network.input.shape])
      }
      // A copy, because backends keep the array itself and operators such as Reshape pass it on to later stages.
      return handOut(0, tf.tensor((batch.data as Float32Array).slice(), [...batch.dims], 'float32'))
    },
    async runStage(index, activation) {
      const { stage: due, inputs } = requireHeld(activation)
      const stage = stages[index]
      if (stage === undefined || due !== index) {
        throw new InvalidArgumentError(`Stage ${index} was given the input of stage ${due}; run that one.`)
      }
      const { output, scores, features } = runStage(tf, model, stage, inputs)
      const carried = stages[index + 1]?.description.scoresInput === undefined ? [] : [scores.clone()]
      return {
        activation: output && handOut(index + 1, output, ...carried),
        scores: handOutRows(scores, describeScores),
        features: features && handOutRows(features, describeFeatures),
      }
    },
    async selectRows(activation, rows) {
      const { stage, inputs } = requireHeld(activation)
      checkSelectedRows(rows, activation.rows)
      const [tensor, ...scores] = inputs
      return handOut(stage, selectRows(tf, tensor, rows), ...scores.map((values) => selectRows(tf, values, rows)))
    },
    async dispose() {
      if (disposed) return
      disposed = true
      for (const tensors of live) tf.dispose([...tensors])
      for (const { head } of stages) head?.dispose()
      model.dispose()
    },
  }
}

function describeScores(data: Float32Array, [rows = 0, classCount = 0]: readonly number[]): ClassScores {
  return { data, rows, classCount }
}

function describeFeatures(data: Float32Array, [rows = 0, width = 0]: readonly number[]): PooledFeatures {
  return { data, rows, width }
}

interface StageOutputs {
  readonly output: Tensor | null
  readonly scores: Tensor
  readonly features?: Tensor | undefined
}

function runStage(
  tf: Tfjs,
  model: LoadedModel,
  { description, head }: LoadedStage,
  [input, earlier]: StageInputs,
): StageOutputs {
  const { output, outputShape, scores, features } = description
  const result = model.compute(description.input, input, output ?? scores)
  if (head === null || outputShape === null) return { output: null, scores: result }
  try {
    checkShape(description, result, [input.shape[0] as number, ...outputShape])
    const rows = tf.tidy(() => ({
      scores: head.computeScores(result, earlier),
      ...(features && { features: poolFeatures(tf, result, gateFeaturePooling) }),
    }))
    return { output: result, ...rows }
  } catch (error) {
    result.dispose()
    throw error
  }
}

function checkShape({ output }: StageDescription, { shape }: Tensor, expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) return
  throw new InvalidTfjsModelError(
    `it yields '${output}' of shape [${shape.join(', ')}] where the bundle's manifest says [${expected.join(', ')}]. Attach the gates again.`,
  )
}
