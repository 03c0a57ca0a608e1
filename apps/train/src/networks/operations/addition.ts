import { InvalidNetworkConfigError } from '../errors.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/** The elementwise sum of two tensors of equal shape. */
export interface Addition extends OperationBase {
  readonly kind: 'addition'
}

export const additionRule: OperationRule<Addition> = {
  shape({ name }, [left = [], right = []]) {
    if (left.join() === right.join()) return left
    throw new InvalidNetworkConfigError(`'${name}' adds [${left.join(', ')}] and [${right.join(', ')}].`)
  },
  macs: () => 0,
  parameters: () => [],
  forward: (_operation, { tf, map }) => tf.add(map(0), map(1)),
  writeOnnx({ name, inputs }, writer) {
    writer.node('Add', inputs, {}, name)
  },
  writeLayers({ name, inputs }, writer) {
    writer.layer({ name, className: 'Add', inputs, config: {} })
  },
}
