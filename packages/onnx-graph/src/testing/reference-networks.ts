import { create } from '@bufbuild/protobuf'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from '../generated/onnx_pb.ts'
import { type Attributes, createGraphBuilder } from '../graph-builder.ts'
import type { OnnxModel } from '../onnx-model.ts'

/** Layers of well-known networks, whose weights have shapes but no values. Names of tensors in, names out. */
interface LayerBuilder {
  node(opType: string, inputs: readonly string[], attributes?: Attributes): string
  weight(...dims: number[]): string
  integers(...values: number[]): string
  convolution(input: string, from: number, to: number, kernel: number, stride?: number): string
  /** Gemm on `[batch, width]`. */
  dense(input: string, from: number, to: number): string
  relu(input: string): string
  pool(opType: 'AveragePool' | 'MaxPool', input: string, kernel: number, stride: number, pad?: number): string
}

function buildNetwork(
  name: string,
  inputDims: readonly (number | string)[],
  build: (layers: LayerBuilder, input: string) => string,
): OnnxModel {
  const builder = createGraphBuilder({ name })
  const weights: TensorProto[] = []
  const weight = (...dims: number[]) => {
    const fields = { name: `w${weights.length}`, dims: dims.map(BigInt), dataType: 1 }
    weights.push(create(TensorProtoSchema, { ...fields, dataLocation: TensorProto_DataLocation.EXTERNAL }))
    return fields.name
  }
  const layers: LayerBuilder = {
    node: (opType, inputs, attributes) => builder.node(opType, inputs, attributes),
    weight,
    integers: (...values) => builder.node('Constant', [], { value_ints: values }),
    convolution(input, from, to, kernel, stride = 1) {
      const pad = (kernel - 1) / 2
      const attributes = { strides: [stride, stride], pads: [pad, pad, pad, pad] }
      return builder.node('Conv', [input, weight(to, from, kernel, kernel), weight(to)], attributes)
    },
    dense: (input, from, to) => builder.node('Gemm', [input, weight(to, from), weight(to)], { transB: 1 }),
    relu: (input) => builder.node('Relu', [input]),
    pool(opType, input, kernel, stride, pad = 0) {
      const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
      return builder.node(opType, [input], attributes)
    },
  }
  const input = builder.input('input', 'float32', inputDims)
  builder.output(build(layers, input), 'float32', ['batch', 'classes'])
  const model = builder.buildModel()
  model.graph.initializer.push(...weights)
  return model
}

const imageDims = ['batch', 3, 224, 224]

/** VGG-16 (arXiv 1409.1556, configuration D). */
export function createVgg16(): OnnxModel {
  return buildNetwork('vgg16', imageDims, (layers, input) => {
    let map = input
    let channels = 3
    for (const width of [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]) {
      map = width === 0 ? layers.pool('MaxPool', map, 2, 2) : layers.relu(layers.convolution(map, channels, width, 3))
      channels = width || channels
    }
    const hidden = layers.relu(layers.dense(layers.node('Flatten', [map]), 512 * 49, 4096))
    return layers.dense(layers.relu(layers.dense(hidden, 4096, 4096)), 4096, 1000)
  })
}

/** ResNet-152 v1.5 (arXiv 1512.03385; the stride sits in the 3x3 convolution). */
export function createResNet152(): OnnxModel {
  return buildNetwork('resnet152', imageDims, (layers, input) => {
    let map = layers.pool('MaxPool', layers.relu(layers.convolution(input, 3, 64, 7, 2)), 3, 2, 1)
    let channels = 64
    for (const [stage, blocks] of [3, 8, 36, 3].entries()) {
      const width = 64 * 2 ** stage
      for (let block = 0; block < blocks; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1
        const shortcut = block === 0 ? layers.convolution(map, channels, 4 * width, 1, stride) : map
        const inner = layers.relu(layers.convolution(map, channels, width, 1))
        const outer = layers.relu(layers.convolution(inner, width, width, 3, stride))
        map = layers.relu(layers.node('Add', [shortcut, layers.convolution(outer, width, 4 * width, 1)]))
        channels = 4 * width
      }
    }
    return classify(layers, map, channels, 1000)
  })
}

/** ResNet-110 for 32 x 32 images, with shortcuts that cost nothing (arXiv 1512.03385, section 4.2, option A). */
export function createResNet110(): OnnxModel {
  return buildNetwork('resnet110', ['batch', 3, 32, 32], (layers, input) => {
    let map = layers.relu(layers.convolution(input, 3, 16, 3))
    let channels = 16
    for (const width of [16, 32, 64]) {
      for (let block = 0; block < 18; block++) {
        const stride = width === channels ? 1 : 2
        const shortcut =
          stride === 1 ? map : padChannels(layers, layers.pool('AveragePool', map, 1, 2), width - channels)
        const inner = layers.relu(layers.convolution(map, channels, width, 3, stride))
        map = layers.relu(layers.node('Add', [shortcut, layers.convolution(inner, width, width, 3)]))
        channels = width
      }
    }
    return classify(layers, map, channels, 10)
  })
}

/** DenseNet-121 (arXiv 1608.06993), growth rate 32. */
export function createDenseNet121(): OnnxModel {
  return buildNetwork('densenet121', imageDims, (layers, input) => {
    let map = layers.pool('MaxPool', layers.relu(layers.convolution(input, 3, 64, 7, 2)), 3, 2, 1)
    let channels = 64
    for (const [block, count] of [6, 12, 24, 16].entries()) {
      for (let layer = 0; layer < count; layer++) {
        const inner = layers.relu(layers.convolution(layers.relu(map), channels, 128, 1))
        map = layers.node('Concat', [map, layers.convolution(inner, 128, 32, 3)], { axis: 1 })
        channels += 32
      }
      if (block === 3) continue
      map = layers.pool('AveragePool', layers.convolution(layers.relu(map), channels, channels / 2, 1), 2, 2)
      channels /= 2
    }
    return classify(layers, map, channels, 1000)
  })
}

/** BERT-base (arXiv 1810.04805) behind its embedding: `[batch, tokens, 768]` to the pooler's output `[batch, 768]`. */
export function createBertBase(): OnnxModel {
  return buildNetwork('bert', ['batch', 'tokens', 768], (layers, input) => {
    let tokens = input
    for (let layer = 0; layer < 12; layer++) {
      const attended = project(layers, attend(layers, tokens), 768, 768)
      tokens = layers.node('LayerNormalization', [layers.node('Add', [tokens, attended]), layers.weight(768)])
      const hidden = layers.node('Erf', [project(layers, tokens, 768, 3072)])
      const sum = layers.node('Add', [tokens, project(layers, hidden, 3072, 768)])
      tokens = layers.node('LayerNormalization', [sum, layers.weight(768)])
    }
    const first = layers.node('Gather', [tokens, layers.node('Constant', [], { value_int: 0 })], { axis: 1 })
    return layers.node('Tanh', [layers.dense(first, 768, 768)])
  })
}

/** Self-attention with 12 heads, reshaped as PyTorch exports it: to the sizes that `Shape` tells. */
function attend(layers: LayerBuilder, tokens: string): string {
  const sizes = layers.node('Slice', [layers.node('Shape', [tokens]), layers.integers(0), layers.integers(2)])
  const split = layers.node('Concat', [sizes, layers.integers(12, 64)], { axis: 0 })
  const [query = '', key = '', value = ''] = [
    [0, 2, 1, 3],
    [0, 2, 3, 1],
    [0, 2, 1, 3],
  ].map((perm) => {
    const heads = layers.node('Reshape', [project(layers, tokens, 768, 768), split])
    return layers.node('Transpose', [heads], { perm })
  })
  const weights = layers.node('Softmax', [layers.node('MatMul', [query, key])])
  const mixed = layers.node('Transpose', [layers.node('MatMul', [weights, value])], { perm: [0, 2, 1, 3] })
  return layers.node('Reshape', [mixed, layers.node('Concat', [sizes, layers.integers(-1)], { axis: 0 })])
}

function project(layers: LayerBuilder, tokens: string, from: number, to: number): string {
  return layers.node('Add', [layers.node('MatMul', [tokens, layers.weight(from, to)]), layers.weight(to)])
}

function padChannels(layers: LayerBuilder, map: string, count: number): string {
  return layers.node('Pad', [map, layers.integers(0, count / 2, 0, 0, 0, count / 2, 0, 0)])
}

function classify(layers: LayerBuilder, map: string, channels: number, classes: number): string {
  return layers.dense(layers.node('Flatten', [layers.node('GlobalAveragePool', [map])]), channels, classes)
}
