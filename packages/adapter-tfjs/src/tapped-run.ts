import { checkBatch, countElements, InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import type { FeatureTap } from '@sluice/onnx-graph'
import type { ModelFlow } from './data-flow.ts'
import { UnsupportedTfjsModelError } from './errors.ts'
import type { LoadedModel } from './loaded-model.ts'
import type { ModelCosts } from './model-costs.ts'
import { countTfjsFeatures, poolFeatures } from './pool-features.ts'
import type { Tfjs } from './tfjs.ts'
import type { TfjsNetwork } from './tfjs-network.ts'

/**
 * The `run` of a network: from tap to tap, so that no activation lives longer than until the next one.
 * @param rowDims shape of one row of the input
 * @param costs shapes of one row of the cuts and of the output
 */
export function createTappedRun(
  tf: Tfjs,
  model: LoadedModel,
  flow: ModelFlow,
  rowDims: readonly number[],
  costs: ModelCosts,
): TfjsNetwork['run'] {
  return async (images, taps) => {
    const rows = checkBatch(images, { dataType: 'float32', shape: rowDims })
    if (rows === 0) throw new ShapeMismatchError('The batch', images.dims, ['rows >= 1', ...rowDims])
    const ordered = orderTaps(taps, [...costs.cutShapes.keys()])
    const results = tf.tidy(() => {
      let name = flow.input
      let value = tf.tensor(images.data, [...images.dims], 'float32')
      const features = ordered.map(({ tensor, pooling }) => {
        const next = model.compute(name, value, tensor)
        value.dispose()
        name = tensor
        value = next
        return poolFeatures(tf, value, pooling)
      })
      return [...features, model.compute(name, value, flow.output)]
    })
    try {
      // Copies, because some backends give the memory of tensors, which may be the same for several.
      const arrays = await Promise.all(results.map(async (result) => (await result.data<'float32'>()).slice()))
      const data = arrays.pop() ?? new Float32Array()
      checkLength(flow.output, data, rows, countElements(costs.rowShape(flow.output) ?? []))
      const features = new Map(
        ordered.map(({ tensor, pooling }, index) => {
          const array = arrays[index] ?? new Float32Array()
          checkLength(tensor, array, rows, countTfjsFeatures(costs.cutShapes.get(tensor) ?? [], pooling))
          return [tensor, array]
        }),
      )
      return { scores: { data, rows, classCount: data.length / rows }, features }
    } finally {
      tf.dispose(results)
    }
  }
}

/** Some operators, such as slices, follow the batch up to some size alone. */
function checkLength(tensor: string, { length }: Float32Array, rows: number, valuesPerRow: number): void {
  if (length === rows * valuesPerRow) return
  throw new UnsupportedTfjsModelError(
    `'${tensor}' gave ${length} values for ${rows} rows of ${valuesPerRow}; its rows are not samples. Choose another cut, or export the model so that every operation keeps one row per image.`,
  )
}

/** Taps in network order. */
function orderTaps(taps: readonly FeatureTap[], cuts: readonly string[]): FeatureTap[] {
  const positions = new Map(taps.map((tap) => [tap, cuts.indexOf(tap.tensor)]))
  const seen = new Set<string>()
  for (const { tensor } of taps) {
    if (!cuts.includes(tensor)) {
      throw new InvalidArgumentError(`'${tensor}' is no cut of the model. 'sluice inspect' lists the tensors that are.`)
    }
    if (seen.has(tensor))
      throw new InvalidArgumentError(`Two taps read '${tensor}'; features are kept once per tensor.`)
    seen.add(tensor)
  }
  return taps.toSorted((a, b) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0))
}
