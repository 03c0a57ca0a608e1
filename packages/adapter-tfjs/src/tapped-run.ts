import { checkBatch, InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import { type FeatureTap, findDominators } from '@sluice/onnx-graph'
import type { ModelFlow } from './data-flow.ts'
import type { LoadedModel } from './loaded-model.ts'
import { poolFeatures } from './pool-features.ts'
import type { Tfjs } from './tfjs.ts'
import type { TfjsNetwork } from './tfjs-network.ts'

/**
 * The `run` of a network: from tap to tap, so that no activation lives longer than until the next one.
 * @param rowDims shape of one row of the input
 */
export function createTappedRun(
  tf: Tfjs,
  model: LoadedModel,
  flow: ModelFlow,
  rowDims: readonly number[],
): TfjsNetwork['run'] {
  const cuts = findDominators(flow)
  return async (images, taps) => {
    const rows = checkBatch(images, { dataType: 'float32', shape: rowDims })
    if (rows === 0) throw new ShapeMismatchError('The batch', images.dims, ['rows >= 1', ...rowDims])
    const ordered = orderTaps(taps, cuts)
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
      const features = new Map(arrays.map((array, index) => [ordered[index]?.tensor ?? '', array]))
      return { scores: { data, rows, classCount: data.length / rows }, features }
    } finally {
      tf.dispose(results)
    }
  }
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
