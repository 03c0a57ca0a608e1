import { type InputDescription, InvalidArgumentError } from '@sluice/core'
import type { FrozenNetwork } from './frozen-network.ts'

/** What the user says of the input; what is left out comes from the model. */
export interface InputOptions {
  /** One value per channel. */
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  /** Shorter side in pixels after resizing, before the centre crop. */
  readonly resize?: number
}

/** ImageNet's channel statistics, which torchvision's and most other published colour models are trained with. */
export const imageNetNormalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/**
 * The bundle's description of a model's input. Colour images are normalised with ImageNet's statistics unless the
 * options say otherwise; other data enter as they are.
 * @throws InvalidArgumentError for a model with several inputs or open sizes, a mean without std, or a size below the crop
 */
export function describeInput(
  { inputs, layout: knownLayout }: Pick<FrozenNetwork, 'inputs' | 'layout'>,
  options: InputOptions,
): InputDescription {
  const [input, ...others] = inputs
  if (input === undefined || others.length > 0) {
    throw new InvalidArgumentError(`The model has ${inputs.length} inputs; gates need a model with one.`)
  }
  const shape = input.shape.slice(1).map((size) => {
    if (typeof size === 'number') return size
    throw new InvalidArgumentError(
      `Input '${input.name}' leaves its size '${size}' open; export the model with fixed sizes but the batch.`,
    )
  })
  const layout = knownLayout ?? guessLayout(shape)
  if ((options.mean === undefined) !== (options.std === undefined)) {
    throw new InvalidArgumentError('Give --mean and --std together, one value per channel each.')
  }
  checkResize(options.resize, shape, layout)
  const channels = layout === 'NHWC' ? shape[2] : shape[0]
  const { mean, std } = layout !== 'none' && channels === 3 ? imageNetNormalisation : { mean: [], std: [] }
  return {
    name: input.name,
    dataType: 'float32',
    shape,
    layout,
    mean: options.mean ?? mean,
    std: options.std ?? std,
    resize: options.resize ?? null,
  }
}

function checkResize(resize: number | undefined, shape: readonly number[], layout: InputDescription['layout']): void {
  if (resize === undefined) return
  if (layout === 'none') {
    throw new InvalidArgumentError(`--resize is for images; the model takes [${shape.join(', ')}]. Leave it out.`)
  }
  const crop = layout === 'NHWC' ? shape.slice(0, 2) : shape.slice(1)
  if (resize >= Math.max(...crop)) return
  throw new InvalidArgumentError(
    `--resize ${resize} is less than the model's ${crop.join(' x ')} pixels; give at least ${Math.max(...crop)}.`,
  )
}

/** Images have one, three or four channels, in front or at the end. */
function guessLayout(shape: readonly number[]): InputDescription['layout'] {
  const [first = 0, , last = 0] = shape
  if (shape.length !== 3) return 'none'
  if ([1, 3, 4].includes(first)) return 'NCHW'
  return [1, 3, 4].includes(last) ? 'NHWC' : 'none'
}
