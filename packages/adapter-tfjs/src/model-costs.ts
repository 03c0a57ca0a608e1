import { type Cut, findDominators } from '@sluice/onnx-graph'
import type { ModelFlow } from './data-flow.ts'
import type { LoadedModel, Operation, TensorShape } from './loaded-model.ts'
import { countMacs } from './operators/count-macs.ts'

/** Shapes and costs of a model for one size of its rows. */
export interface ModelCosts {
  /** Shape of one row; null where a tensor's rows are not samples. */
  rowShape(tensor: string): readonly number[] | null
  /** Shapes of one row of the cuts: of all float32 tensors that everything passes and whose rows are samples, in order. */
  readonly cutShapes: ReadonlyMap<string, readonly number[]>
  /**
   * MACs of a run of one row. What does not grow with the batch counts whole: a row that runs alone pays for it.
   * @throws UnknownTfjsOperatorError
   */
  countMacs(): number
  /** @throws UnknownTfjsOperatorError */
  findCuts(): Cut[]
}

/**
 * Measures a model by a batch of one row, whose costs are those of a row, and by one of two: a tensor's rows are samples
 * where its first size follows both, which no constant does, and the other sizes stay.
 *
 * @param rowDims shape of one row of the input
 * @throws TfjsError when the model does not run on such an input
 */
export function measureModel(model: LoadedModel, flow: ModelFlow, rowDims: readonly number[]): ModelCosts {
  const measure = (rows: number) => model.measure(flow.input, [rows, ...rowDims], flow.steps)
  const [ofOne, ofTwo] = [measure(1), measure(2)]
  const rowShape = (tensor: string) => findRowShape(ofOne.get(tensor)?.dims ?? [], ofTwo.get(tensor)?.dims ?? [])
  const cutShapes = new Map(
    findDominators(flow).flatMap((tensor) => {
      const shape = rowShape(tensor)
      return shape === null || ofOne.get(tensor)?.type !== 'float32' ? [] : [[tensor, shape] as const]
    }),
  )
  const accumulate = () => accumulateMacs(flow.steps, ofOne)
  return {
    rowShape,
    cutShapes,
    countMacs: () => [...accumulate().values()].at(-1) ?? 0,
    findCuts() {
      const macsThrough = accumulate()
      const total = macsThrough.get(flow.output) ?? 0
      return [...cutShapes].map(([tensor, shape]) => {
        const macs = macsThrough.get(tensor) ?? 0
        return { tensor, type: 'float32' as const, shape, macs, share: total === 0 ? 0 : macs / total }
      })
    },
  }
}

/** From a tensor's shapes for one row and for two; null where they do not differ in exactly that. */
function findRowShape(ofOne: readonly number[], ofTwo: readonly number[]): readonly number[] | null {
  const [one, ...shape] = ofOne
  const [two, ...others] = ofTwo
  const follows = one === 1 && two === 2
  const stays = shape.length === others.length && shape.every((size, axis) => size === others[axis])
  return follows && stays ? shape : null
}

/** MACs from the input up to and with the operation that yields each tensor, in network order. */
function accumulateMacs(steps: readonly Operation[], shapes: ReadonlyMap<string, TensorShape>): Map<string, number> {
  const dimsOf = (tensor: string) => shapes.get(tensor)?.dims ?? []
  let total = 0
  return new Map(
    steps.flatMap((operation) => {
      const { inputs, outputs, weightShapes, name, transposesLeft } = operation
      const operands = [...inputs.map(dimsOf), ...weightShapes]
      total += countMacs(operation, { operands, output: dimsOf(name), transposesLeft })
      return outputs.map((output) => [output, total] as const)
    }),
  )
}
