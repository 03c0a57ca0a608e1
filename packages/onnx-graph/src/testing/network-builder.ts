import { countElements } from '@sluice/core'
import { createGraphBuilder, float, type GraphBuilder } from '../graph-builder.ts'
import { seededValues } from './seeded-values.ts'

/** Layers of small test networks with seeded weights. Tensors are `[batch, channels, height, width]` or `[batch, width]`. */
export interface NetworkBuilder extends GraphBuilder {
  weights(dims: readonly number[]): string
  integers(values: readonly number[], dims?: readonly number[]): string
  /** 3x3 convolution of step 1 that keeps the map's size. */
  convolution(input: string, inputs: number, outputs: number): string
  dense(input: string, inputs: number, outputs: number, outputName?: string): string
  relu(input: string): string
  add(left: string, right: string): string
  /** Global average pooling, flatten and a dense layer: `logits`, `[batch, 4]`. */
  classifier(input: string, channels: number): void
}

/** An empty test network. */
export function createNetworkBuilder(name: string, opset = 17): NetworkBuilder {
  const builder = createGraphBuilder({ name, opset })
  let count = 0
  const weights = (dims: readonly number[]) => {
    const data = seededValues(countElements(dims), ++count).map((value) => value / 2)
    return builder.initializer(`w${count}`, { type: 'float32', dims, data })
  }
  const integers = (values: readonly number[], dims: readonly number[] = [values.length]) => {
    return builder.initializer(`i${++count}`, { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) })
  }
  const dense = (input: string, inputs: number, outputs: number, outputName?: string) => {
    const parts = [input, weights([inputs, outputs]), weights([outputs])]
    return builder.node('Gemm', parts, { alpha: float(1) }, outputName)
  }
  return {
    ...builder,
    weights,
    integers,
    convolution: (input, inputs, outputs) => {
      return builder.node('Conv', [input, weights([outputs, inputs, 3, 3]), weights([outputs])], { pads: [1, 1, 1, 1] })
    },
    dense,
    relu: (input) => builder.node('Relu', [input]),
    add: (left, right) => builder.node('Add', [left, right]),
    classifier(input, channels) {
      dense(builder.node('Flatten', [builder.node('GlobalAveragePool', [input])]), channels, 4, 'logits')
      builder.output('logits', 'float32', ['batch', 4])
    },
  }
}
