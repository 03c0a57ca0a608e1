import { rectify, rectifyToSix } from '../gradients/rectify.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/** `relu6` is `min(max(x, 0), 6)`. */
export type ActivationFunction = 'relu' | 'relu6'

/** A pointwise nonlinearity. */
export interface Activation extends OperationBase {
  readonly kind: 'activation'
  readonly activation: ActivationFunction
}

export const activationRule: OperationRule<Activation> = {
  shape: (_operation, [input = []]) => input,
  macs: () => 0,
  parameters: () => [],
  forward: ({ activation }, { tf, map }) => (activation === 'relu' ? rectify(tf, map()) : rectifyToSix(tf, map())),
  writeOnnx({ name, inputs: [input = ''], activation }, writer) {
    if (activation === 'relu') writer.node('Relu', [input], {}, name)
    else writer.node('Clip', [input, writer.number(0), writer.number(6)], {}, name)
  },
  writeLayers({ name, inputs, activation }, writer) {
    writer.layer({ name, className: 'ReLU', inputs, config: { max_value: activation === 'relu' ? null : 6 } })
  },
}
