import { readMap } from '../feature-shape.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/** The mean of every channel over the whole map: `[batch, height, width, channels]` to `[batch, channels]`. */
export interface GlobalAverage extends OperationBase {
  readonly kind: 'global-average'
}

export const globalAverageRule: OperationRule<GlobalAverage> = {
  shape: (_operation, [input = []]) => [readMap(input).channels],
  macs: () => 0,
  parameters: () => [],
  forward: (_operation, { tf, map }) => tf.mean(map(), [1, 2]),
  writeOnnx({ name, inputs }, writer) {
    writer.node('Flatten', [writer.node('GlobalAveragePool', inputs, {})], {}, name)
  },
  writeLayers({ name, inputs }, writer) {
    writer.layer({ name, className: 'GlobalAveragePooling2D', inputs, config: {} })
  },
}
