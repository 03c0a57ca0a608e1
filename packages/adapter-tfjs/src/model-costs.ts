import { type Cut, findDominators } from '@sluice/onnx-graph'
import type { ModelFlow } from './data-flow.ts'
import type { LoadedModel, Operation, TensorShape } from './loaded-model.ts'
import { countMacs } from './operators/count-macs.ts'

/** Shapes and costs of a model for one size of its rows. */
export interface ModelCosts {
  /** Shape of one row; null where a tensor's rows are not samples. */
  rowShape(tensor: string): readonly number[] | null
  /** MACs of one row. @throws UnknownTfjsOperatorError */
  countMacs(): number
  /** @throws UnknownTfjsOperatorError */
  findCuts(): Cut[]
}

/** A batch of two tells sizes that depend on the batch from those that do not; costs are halved. */
const batchSize = 2

/**
 * Measures a model.
 * @param rowDims shape of one row of the input
 * @throws TfjsError when the model does not run on such an input
 */
export function measureModel(model: LoadedModel, flow: ModelFlow, rowDims: readonly number[]): ModelCosts {
  const shapes = model.measure(flow.input, [batchSize, ...rowDims], flow.steps)
  const rowShape = (tensor: string) => {
    const [rows, ...shape] = shapes.get(tensor)?.dims ?? []
    return rows === batchSize ? shape : null
  }
  const accumulate = () => accumulateMacs(flow.steps, shapes)
  return {
    rowShape,
    countMacs: () => [...accumulate().values()].at(-1) ?? 0,
    findCuts() {
      const macsThrough = accumulate()
      const total = macsThrough.get(flow.output) ?? 0
      return findDominators(flow).flatMap((tensor) => {
        const shape = rowShape(tensor)
        if (shape === null || shapes.get(tensor)?.type !== 'float32') return []
        const macs = macsThrough.get(tensor) ?? 0
        return [{ tensor, type: 'float32' as const, shape, macs, share: total === 0 ? 0 : macs / total }]
      })
    },
  }
}

/** Per-row MACs from the input up to and with the operation that yields each tensor, in network order. */
function accumulateMacs(steps: readonly Operation[], shapes: ReadonlyMap<string, TensorShape>): Map<string, number> {
  const dimsOf = (tensor: string) => shapes.get(tensor)?.dims ?? []
  let total = 0
  return new Map(
    steps.flatMap((operation) => {
      const { inputs, outputs, weightShapes, name, transposesLeft } = operation
      const operands = [...inputs.map(dimsOf), ...weightShapes]
      total += countMacs(operation, { operands, output: dimsOf(name), transposesLeft }) / batchSize
      return outputs.map((output) => [output, total] as const)
    }),
  )
}
