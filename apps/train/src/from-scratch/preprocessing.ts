import { ShapeMismatchError } from '@sluice/core'
import { type Dataset, type Preprocessing, sampleShapeOf } from '@sluice/datasets'
import { imageNetNormalisation } from '../attach/describe-input.ts'
import type { NetworkPlan } from '../networks/network-plan.ts'
import type { TrainConfig } from './train-config.ts'

/** How images enter the network, as it runs in TensorFlow.js: channels last. Where the config says nothing, as `attach` assumes. */
export function describePreprocessing(
  { input }: Pick<NetworkPlan, 'input'>,
  { mean, std }: Pick<TrainConfig, 'mean' | 'std'>,
): Preprocessing {
  const { mean: defaultMean, std: defaultStd } = input[2] === 3 ? imageNetNormalisation : { mean: [], std: [] }
  return { shape: input, layout: 'NHWC', mean: mean ?? defaultMean, std: std ?? defaultStd }
}

/** @throws ShapeMismatchError when a dataset's samples do not fit the network's input */
export function checkSamples({ name, sampleShape }: Dataset, input: Preprocessing): void {
  const expected = sampleShapeOf(input)
  if (sampleShape.join() !== expected.join()) throw new ShapeMismatchError(`A sample of ${name}`, sampleShape, expected)
}
