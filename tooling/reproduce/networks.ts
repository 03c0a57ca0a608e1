/** Where a network's weights come from. */
export type WeightSource =
  | { readonly kind: 'trained'; readonly epochs: number; readonly minutes: number }
  | { readonly kind: 'shared'; readonly file: string }
  | { readonly kind: 'torchvision' }

/** The last cut of a main block: its shape at full width. */
export interface BlockEnd {
  readonly channels: number
  /** Height and width of its map. */
  readonly map: number
}

/** What a network's row has to reach. */
export interface Targets {
  /** Fraction of the MACs that each kind of gates saves at a drop of at most two points. */
  readonly macsSaved?: { readonly paper: number; readonly best: number }
  /** `timeSaved / idealTimeSaved` at batch 64. */
  readonly timeShare?: number
  /** Billions of MACs saved at no drop, by either kind of gates. */
  readonly gmacsAtNoDrop?: number
}

/** A row of the table. */
export interface NetworkSpec {
  readonly name: string
  readonly title: string
  readonly weights: WeightSource
  /** The first two main blocks, behind which the paper's gates stand. */
  readonly mainBlocks: readonly BlockEnd[]
  readonly targets: Targets
}

/** The rows of the table; targets are the paper's figures (arXiv 1811.01476) and what this project asks of itself. */
export const networks: readonly NetworkSpec[] = [
  {
    name: 'resnet101',
    title: 'ResNet-101, CIFAR-10',
    weights: { kind: 'trained', epochs: 40, minutes: 9 },
    mainBlocks: [
      { channels: 256, map: 32 },
      { channels: 512, map: 16 },
    ],
    targets: { macsSaved: { paper: 0.44, best: 0.6 }, timeShare: 0.95 },
  },
  {
    name: 'densenet201',
    title: 'DenseNet-201, CIFAR-10',
    weights: { kind: 'trained', epochs: 40, minutes: 9 },
    mainBlocks: [
      { channels: 256, map: 32 },
      { channels: 512, map: 16 },
    ],
    targets: { macsSaved: { paper: 0.39, best: 0.5 }, timeShare: 0.95 },
  },
  {
    name: 'imagenet',
    title: 'ResNet-101, ImageNet',
    weights: { kind: 'torchvision' },
    mainBlocks: [
      { channels: 256, map: 56 },
      { channels: 512, map: 28 },
    ],
    targets: { gmacsAtNoDrop: 1.5 },
  },
  {
    name: 'resnet56',
    title: 'ResNet-56, CIFAR-10',
    weights: { kind: 'shared', file: 'models/resnet56.onnx' },
    mainBlocks: [
      { channels: 16, map: 32 },
      { channels: 32, map: 16 },
    ],
    targets: {},
  },
  {
    name: 'resnet20',
    title: 'ResNet-20, CIFAR-10',
    weights: { kind: 'shared', file: 'models/resnet20.onnx' },
    mainBlocks: [
      { channels: 16, map: 32 },
      { channels: 32, map: 16 },
    ],
    targets: {},
  },
]

/** @throws Error for a name that no row has */
export function findNetwork(name: string | undefined): NetworkSpec {
  const found = networks.find((network) => network.name === name)
  if (found !== undefined) return found
  throw new Error(
    `There is no network '${name ?? ''}'; use one of ${networks.map((network) => network.name).join(', ')}.`,
  )
}
