import { InvalidNetworkConfigError } from '../errors.ts'
import { readMap } from '../feature-shape.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/** The channels of two maps of equal size, one behind the other. */
export interface Concatenation extends OperationBase {
  readonly kind: 'concatenation'
}

export const concatenationRule: OperationRule<Concatenation> = {
  shape({ name }, [first = [], second = []]) {
    const [left, right] = [readMap(first), readMap(second)]
    if (left.height === right.height && left.width === right.width) {
      return [left.height, left.width, left.channels + right.channels]
    }
    throw new InvalidNetworkConfigError(
      `'${name}' joins the channels of [${first.join(', ')}] and [${second.join(', ')}].`,
    )
  },
  macs: () => 0,
  parameters: () => [],
  forward: (_operation, { tf, map }) => tf.concat([map(0), map(1)], 3),
  writeOnnx({ name, inputs }, writer) {
    writer.node('Concat', inputs, { axis: 1 }, name)
  },
  writeLayers({ name, inputs }, writer) {
    writer.layer({ name, className: 'Concatenate', inputs, config: { axis: -1 } })
  },
}
