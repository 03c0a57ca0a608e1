import type { OnnxModel } from '../onnx-model.ts'
import { createNetworkBuilder, type NetworkBuilder } from './network-builder.ts'

/** A small network with the shape of one row of its input `input`. */
export interface TestNetwork {
  readonly name: string
  readonly model: OnnxModel
  readonly inputShape: readonly number[]
}

/** One network per structure that cuts and splits must cope with; each has one input and at least one cut. */
export function createTestNetworks(): TestNetwork[] {
  return [
    imageNetwork('residual', residual),
    imageNetwork('dense concat', denseConcat),
    imageNetwork('inception', inception),
    imageNetwork('squeeze and excite', squeezeExcite),
    imageNetwork('shared weights', sharedWeights),
    imageNetwork('several outputs', severalOutputs),
    imageNetwork('shape arithmetic across cuts', shapesAcrossCuts),
    { name: 'transformer', model: createTransformer(), inputShape: [3, 4, 4] },
  ]
}

function imageNetwork(name: string, build: (network: NetworkBuilder, image: string) => void): TestNetwork {
  const network = createNetworkBuilder(name)
  build(network, network.input('input', 'float32', ['batch', 3, 8, 8]))
  return { name, model: network.buildModel(), inputShape: [3, 8, 8] }
}

function residual(network: NetworkBuilder, image: string): void {
  let map = network.relu(network.convolution(image, 3, 4))
  for (let block = 0; block < 3; block++) {
    const inner = network.relu(network.convolution(map, 4, 4))
    map = network.relu(network.add(map, network.convolution(inner, 4, 4)))
  }
  network.classifier(map, 4)
}

function denseConcat(network: NetworkBuilder, image: string): void {
  let map = network.convolution(image, 3, 4)
  for (let block = 0; block < 2; block++) {
    const maps = [map]
    for (let layer = 0; layer < 2; layer++) {
      const joined = maps.length === 1 ? map : network.node('Concat', maps, { axis: 1 })
      maps.push(network.convolution(network.relu(joined), 4 + 2 * layer, 2))
    }
    map = network.relu(network.convolution(network.node('Concat', maps, { axis: 1 }), 8, 4))
  }
  network.classifier(map, 4)
}

function inception(network: NetworkBuilder, image: string): void {
  let map = network.relu(network.convolution(image, 3, 6))
  for (let block = 0; block < 2; block++) {
    const left = network.relu(network.convolution(map, 6, 2))
    const right = network.convolution(network.relu(network.convolution(map, 6, 2)), 2, 2)
    const pooled = network.node('MaxPool', [map], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
    map = network.node('Concat', [left, right, network.convolution(pooled, 6, 2)], { axis: 1 })
  }
  network.classifier(map, 6)
}

function squeezeExcite(network: NetworkBuilder, image: string): void {
  let map = network.relu(network.convolution(image, 3, 4))
  for (let block = 0; block < 2; block++) {
    const inner = network.convolution(map, 4, 4)
    const squeezed = network.node('ReduceMean', [inner], { axes: [2, 3], keepdims: 1 })
    const excited = network.node('Conv', [network.relu(squeezed), network.weights([4, 4, 1, 1])])
    map = network.add(map, network.node('Mul', [inner, network.node('Sigmoid', [excited])]))
  }
  network.classifier(map, 4)
}

function sharedWeights(network: NetworkBuilder, image: string): void {
  let map = network.relu(network.convolution(image, 3, 4))
  const [kernel, scale] = [network.weights([4, 4, 3, 3]), network.node('Abs', [network.weights([4, 1, 1])])]
  for (let block = 0; block < 3; block++) {
    map = network.relu(network.node('Mul', [network.node('Conv', [map, kernel], { pads: [1, 1, 1, 1] }), scale]))
  }
  network.classifier(map, 4)
}

/** The second output branches off behind the first block, so that no cut lies deeper. */
function severalOutputs(network: NetworkBuilder, image: string): void {
  const stem = network.relu(network.convolution(image, 3, 4))
  const map = network.relu(network.convolution(stem, 4, 4))
  const pooled = network.node('Flatten', [network.node('GlobalAveragePool', [map])])
  network.dense(pooled, 4, 2, 'side')
  network.output('side', 'float32', ['batch', 2])
  network.classifier(network.relu(network.convolution(map, 4, 4)), 4)
}

/** Late reshapes use the shapes of the input and of an early map, and the element count of the input. */
function shapesAcrossCuts(network: NetworkBuilder, image: string): void {
  const first = network.relu(network.convolution(image, 3, 4))
  const second = network.relu(network.convolution(first, 4, 4))
  const batch = network.node('Gather', [network.node('Shape', [image]), network.integers([0])], { axis: 0 })
  const rest = network.node('Slice', [network.node('Shape', [first]), network.integers([1]), network.integers([4])])
  const restored = network.node('Concat', [batch, rest], { axis: 0 })
  const perRow = network.node('Div', [network.node('Size', [network.node('Neg', [image])]), network.integers([3])])
  const factor = network.node('Cast', [network.node('Div', [perRow, batch])], { to: 1 })
  const flat = network.node('Reshape', [second, network.node('Concat', [batch, network.integers([-1])], { axis: 0 })])
  const map = network.node('Reshape', [network.node('Div', [flat, factor]), restored])
  network.classifier(network.relu(network.convolution(map, 4, 4)), 4)
}

/** A vision transformer as PyTorch exports it: the class token is expanded to the batch, heads are split by shapes. */
function createTransformer(): OnnxModel {
  const network = createNetworkBuilder('transformer')
  const image = network.input('input', 'float32', ['batch', 3, 4, 4])
  const batch = network.node('Gather', [network.node('Shape', [image]), network.integers([0])], { axis: 0 })
  const shapeOf = (...rest: number[]) => network.node('Concat', [batch, network.integers(rest)], { axis: 0 })
  const patches = network.node('Conv', [image, network.weights([6, 3, 2, 2])], { strides: [2, 2] })
  const rows = network.node('Transpose', [network.node('Reshape', [patches, shapeOf(6, -1)])], { perm: [0, 2, 1] })
  const token = network.node('Expand', [network.weights([1, 1, 6]), shapeOf(1, 6)])
  let tokens = network.add(network.node('Concat', [token, rows], { axis: 1 }), network.weights([1, 5, 6]))
  for (let block = 0; block < 2; block++) tokens = transformerBlock(network, tokens, shapeOf)
  const first = network.node('Gather', [tokens, network.integers([0], [])], { axis: 1 })
  network.dense(first, 6, 4, 'logits')
  network.output('logits', 'float32', ['batch', 4])
  return network.buildModel()
}

function transformerBlock(network: NetworkBuilder, tokens: string, shapeOf: (...rest: number[]) => string): string {
  const normalize = (input: string) =>
    network.node('LayerNormalization', [input, network.weights([6]), network.weights([6])])
  const project = (input: string) => {
    const projected = network.node('MatMul', [input, network.weights([6, 6])])
    return network.node('Reshape', [projected, shapeOf(5, 2, 3)])
  }
  const normal = normalize(tokens)
  const queries = network.node('Transpose', [project(normal)], { perm: [0, 2, 1, 3] })
  const keys = network.node('Transpose', [project(normal)], { perm: [0, 2, 3, 1] })
  const values = network.node('Transpose', [project(normal)], { perm: [0, 2, 1, 3] })
  const attention = network.node('Softmax', [network.node('MatMul', [queries, keys])], { axis: -1 })
  const mixed = network.node('Transpose', [network.node('MatMul', [attention, values])], { perm: [0, 2, 1, 3] })
  const joined = network.add(tokens, network.node('Reshape', [mixed, shapeOf(5, 6)]))
  const hidden = network.relu(network.node('MatMul', [normalize(joined), network.weights([6, 12])]))
  return network.add(joined, network.node('MatMul', [hidden, network.weights([12, 6])]))
}
