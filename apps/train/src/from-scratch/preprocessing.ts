import { ShapeMismatchError } from '@sluice/core'
import { type Dataset, type Preprocessing, sampleShapeOf } from '@sluice/datasets'
import type { NetworkPlan } from '../networks/network-plan.ts'
import type { TrainConfig } from './train-config.ts'

/** ImageNet's channel statistics, as `attach` assumes them where nothing else is said. */
const imageNetNormalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/** How images enter the network, as it runs in TensorFlow.js: channels last. */
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
