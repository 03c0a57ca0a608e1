import { countElements } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { attribute, createGraphDef } from './graph-def.ts'
import type { SavedModel } from './saved-model.ts'

const { bool, float, integers, text, texts } = attribute

/** Attributes of a convolution with the given stride and padding `SAME`. */
export function convolutionAttributes(stride: number) {
  return {
    strides: integers([1, stride, stride, 1]),
    dilations: integers([1, 1, 1, 1]),
    padding: text('SAME'),
    data_format: text('NHWC'),
  }
}

/**
 * A graph model for 8x8 images and 4 classes, saved in several shards: a convolution with batch normalisation and ReLU6, a
 * depthwise convolution, a fused one, a residual addition, the mean over pixels, and a matrix product.
 */
export function createConvGraph(): SavedModel {
  const random = createRandom(7)
  const graph = createGraphDef()
  const weights = (name: string, shape: readonly number[], low = -1, high = 1) => {
    const values = Float32Array.from({ length: countElements(shape) }, () => low + (high - low) * random())
    return graph.constant(name, shape, values)
  }
  const image = graph.input('image', [8, 8, 3])
  const conv = graph.node('Conv2D', 'conv', [image, weights('conv/w', [3, 3, 3, 6])], convolutionAttributes(2))
  const statistics = [weights('bn/scale', [6]), weights('bn/offset', [6]), weights('bn/mean', [6])]
  const variance = weights('bn/variance', [6], 0.5, 2)
  const normalised = graph.node('FusedBatchNormV3', 'bn', [conv, ...statistics, variance], {
    epsilon: float(1e-3),
    is_training: bool(false),
    data_format: text('NHWC'),
  })
  const stem = graph.node('Relu6', 'stem', [normalised])
  const filter = weights('depthwise/w', [3, 3, 6, 1])
  const depthwise = graph.node('DepthwiseConv2dNative', 'depthwise', [stem, filter], convolutionAttributes(1))
  const fused = graph.node(
    '_FusedConv2D',
    'fused',
    [depthwise, weights('fused/w', [1, 1, 6, 6]), weights('fused/b', [6])],
    {
      ...convolutionAttributes(1),
      fused_ops: texts(['BiasAdd', 'Relu6']),
      num_args: { i: '1' },
      epsilon: float(0),
    },
  )
  const sum = graph.node('AddV2', 'sum', [fused, stem])
  const axes = graph.constant('axes', [2], Int32Array.of(1, 2))
  const mean = graph.node('Mean', 'mean', [sum, axes], { keep_dims: bool(false) })
  const product = graph.node('MatMul', 'product', [mean, weights('dense/w', [6, 4])], { transpose_b: bool(false) })
  graph.node('BiasAdd', 'logits', [product, weights('dense/b', [4])], { data_format: text('NHWC') })
  return graph.save(500)
}
