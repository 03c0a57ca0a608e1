import type { NodeProto } from '@sluice/onnx-graph'
import { WeightMismatchError } from '../errors.ts'
import type { WeightedOperation } from './weighted-operations.ts'

/** Values that ONNX takes for attributes that a file leaves out; `kernel_shape` then follows from the weights. */
const defaults: Readonly<Record<string, readonly number[]>> = {
  strides: [1, 1],
  pads: [0, 0, 0, 0],
  group: [1],
  transB: [0],
  epsilon: [1e-5],
}

/** @throws WeightMismatchError when the node computes otherwise than the plan's operation, e.g. with another stride */
export function checkAttributes({ name, attributes }: WeightedOperation, node: NodeProto): void {
  for (const [key, attribute] of Object.entries(attributes)) {
    const value = typeof attribute === 'object' && 'float' in attribute ? attribute.float : attribute
    const expected = typeof value === 'number' ? [value] : value
    const actual = readNumbers(node, key) ?? defaults[key] ?? expected
    if (actual.length === expected.length && actual.every((number, index) => isClose(number, expected[index]))) continue
    throw new WeightMismatchError(
      `${node.opType} '${node.name}' has ${key} [${actual.join(', ')}], but '${name}' needs [${expected.join(', ')}]. Describe the network that the file holds.`,
    )
  }
}

function readNumbers(node: NodeProto, key: string): number[] | undefined {
  const attribute = node.attribute.find(({ name }) => name === key)
  if (attribute === undefined) return undefined
  if (attribute.ints.length > 0) return attribute.ints.map(Number)
  return [attribute.f === 0 ? Number(attribute.i) : attribute.f]
}

/** Equal as float32. */
function isClose(left: number, right: number | undefined): boolean {
  return right !== undefined && Math.fround(left) === Math.fround(right)
}
