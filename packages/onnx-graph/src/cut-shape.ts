import { InvalidArgumentError } from '@sluice/core'
import { declaredShape } from './input-shapes.ts'
import type { OnnxModel } from './onnx-model.ts'

/**
 * Shape of one row of the cut tensor that a stage yields.
 * @throws InvalidArgumentError for a tensor that the stage does not declare as an output of known shape
 */
export function cutShape({ graph }: OnnxModel, cutTensor: string): number[] {
  const output = graph.output.find(({ name }) => name === cutTensor)
  const [, ...shape] = (output && declaredShape(output)) ?? []
  if (shape.length > 0 && shape.every((size) => typeof size === 'number')) return shape
  throw new InvalidArgumentError(
    `The stage declares no output '${cutTensor}' of known shape; add the head to the stage that ends at this cut.`,
  )
}
