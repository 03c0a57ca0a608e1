import type { Tensor } from '@tensorflow/tfjs'
import { inTfjs } from './errors.ts'
import { type LayerCall, traceLayers } from './layer-trace.ts'
import type { LoadedModel, TensorShape } from './loaded-model.ts'
import type { TfjsModelData } from './model-files.ts'
import type { Tfjs } from './tfjs.ts'
import { traceBack } from './trace-back.ts'

/** Loads a model as `LayersModel.save` or the converter writes it. @throws UnsupportedTfjsModelError */
export async function loadLayersModel(tf: Tfjs, { artifacts }: TfjsModelData): Promise<LoadedModel> {
  const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts))
  try {
    const { calls, inputs, outputs } = traceLayers(tf, model)
    const plans = new Map<string, readonly PlannedCall[]>()
    const planBetween = (from: string, to: string) => {
      const key = JSON.stringify([from, to])
      const plan = plans.get(key) ?? planCalls(traceBack(calls, [to], [from]), to)
      plans.set(key, plan)
      return plan
    }
    return {
      format: 'tfjs-layers',
      inputs: inputs.map((name, index) => ({ name, shape: model.inputs[index]?.shape ?? [] })),
      outputs,
      operations: calls,
      compute: (from, value, to) => tf.tidy(() => execute(planBetween(from, to), from, value, to)),
      measure: (input, dims) => measure(calls, input, dims),
      dispose: () => void model.dispose(),
    }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** A call, and the tensors that nobody reads after it. */
interface PlannedCall {
  readonly call: LayerCall
  readonly last: readonly string[]
}

function planCalls(calls: readonly LayerCall[], to: string): PlannedCall[] {
  const lastReader = new Map(calls.flatMap((call) => call.inputs.map((input) => [input, call] as const)))
  return calls.map((call) => {
    const last = new Set(call.inputs.filter((input) => input !== to && lastReader.get(input) === call))
    return { call, last: [...last] }
  })
}

function execute(plan: readonly PlannedCall[], from: string, value: Tensor, to: string): Tensor {
  const values = new Map([[from, value]])
  for (const { call, last } of plan) {
    const inputs = call.inputs.map((name) => values.get(name) as Tensor)
    values.set(call.name, applyLayer(call, inputs))
    for (const name of last) if (name !== from) values.get(name)?.dispose()
  }
  return values.get(to) as Tensor
}

function applyLayer({ layer, arguments: callArguments, name }: LayerCall, inputs: readonly Tensor[]): Tensor {
  const input = inputs.length === 1 ? (inputs[0] as Tensor) : [...inputs]
  const hint = 'Check the shape of the input, and that the backend has the kernels that this layer needs.'
  return inTfjs(`Layer '${name}'`, hint, () => layer.apply(input, callArguments) as Tensor)
}

/** By the layers' own shape rules: nothing is computed. */
function measure(calls: readonly LayerCall[], input: string, dims: readonly number[]): Map<string, TensorShape> {
  const shapes = new Map<string, TensorShape>([[input, { type: 'float32', dims }]])
  for (const { layer, name, inputs, type } of calls) {
    const inputShapes = inputs.map((tensor) => [...(shapes.get(tensor)?.dims ?? [])])
    const argument = inputShapes.length === 1 ? (inputShapes[0] ?? []) : inputShapes
    const shape = inTfjs(`The shape of layer '${name}'`, 'Check the shape of the input.', () =>
      layer.computeOutputShape(argument),
    )
    shapes.set(name, { type, dims: (shape as readonly (number | null)[]).map(Number) })
  }
  return shapes
}
