import { isSamePadding, type Window } from '../feature-shape.ts'
import type { LayerDescription, LayersWriter, OperationBase, ParameterDescription } from './operation-rule.ts'

/** Normal with variance `2 / inputs`, which keeps the variance through ReLUs (He et al., arXiv 1502.01852, eq. 10). */
export function heInitial(inputs: number): ParameterDescription['initial'] {
  return { deviation: Math.sqrt(2 / inputs) }
}

/** A layer with a window; where Keras' `same` pads otherwise than the plan, an explicit padding layer stands before it. */
export function writePaddedLayer(
  writer: LayersWriter,
  operation: OperationBase & Window,
  { config, ...layer }: Pick<LayerDescription, 'className' | 'config' | 'weights'>,
): void {
  const { name, inputs, size, stride, padding } = operation
  const same = isSamePadding(operation)
  const sides = [padding, padding]
  const padded =
    same || padding === 0
      ? inputs
      : [
          writer.layer({
            name: `${name}.padding`,
            className: 'ZeroPadding2D',
            inputs,
            config: { padding: [sides, sides] },
          }),
        ]
  const sizeKey = layer.className.endsWith('Pooling2D') ? 'pool_size' : 'kernel_size'
  const window = { [sizeKey]: [size, size], strides: [stride, stride], padding: same ? 'same' : 'valid' }
  writer.layer({ name, ...layer, inputs: padded, config: { ...config, ...window } })
}
