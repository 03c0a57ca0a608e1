import { countWindows, readMap, type Window } from '../feature-shape.ts'
import { padMap } from '../gradients/padding.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'
import { writePaddedLayer } from './windows.ts'

/**
 * The maximum or average of each window. Only a maximum is padded, and only of maps without negative values, where zeros
 * around them change nothing.
 */
export interface Pooling extends OperationBase, Window {
  readonly kind: 'pooling'
  readonly pooling: 'maximum' | 'average'
}

export const poolingRule: OperationRule<Pooling> = {
  shape(operation, [input = []]) {
    const { height, width, channels } = readMap(input)
    return [countWindows(height, operation), countWindows(width, operation), channels]
  },
  macs: () => 0,
  parameters: () => [],
  forward({ pooling, size, stride, padding }, { tf, map }) {
    const pool = pooling === 'maximum' ? tf.maxPool : tf.avgPool
    return pool(padMap(tf, map(), padding), size, stride, 'valid')
  },
  writeOnnx({ name, inputs, pooling, size, stride, padding }, writer) {
    const attributes = { kernel_shape: [size, size], strides: [stride, stride], pads: Array(4).fill(padding) }
    writer.node(pooling === 'maximum' ? 'MaxPool' : 'AveragePool', inputs, attributes, name)
  },
  writeLayers(operation, writer) {
    const className = operation.pooling === 'maximum' ? 'MaxPooling2D' : 'AveragePooling2D'
    writePaddedLayer(writer, operation, { className, config: {} })
  },
}
