/** Configs of every kind of network, small enough to run in milliseconds, by what they try. */
export const smallNetworks = {
  'ResNet with padded shortcuts': { kind: 'resnet', depth: 8, width: 0.25, classes: 10, input: [16, 16, 3] },
  'ResNet with projections on odd maps': {
    kind: 'resnet',
    depth: 8,
    width: 0.25,
    shortcut: 'projection',
    classes: 10,
    input: [15, 13, 3],
  },
  'ResNet-50 in ImageNet form': {
    kind: 'bottleneck-resnet',
    depth: 50,
    form: 'imagenet',
    width: 1 / 16,
    classes: 7,
    input: [40, 37, 3],
  },
  'DenseNet-121 in CIFAR form': {
    kind: 'densenet',
    depth: 121,
    form: 'cifar',
    width: 1 / 16,
    classes: 10,
    input: [16, 16, 3],
  },
  'MobileNetV2 in ImageNet form': {
    kind: 'mobilenet-v2',
    form: 'imagenet',
    width: 1 / 8,
    classes: 5,
    input: [33, 33, 1],
  },
  'plain network': { kind: 'plain', layers: [4, 'pool', 8, 8], classes: 3, input: [9, 8, 2] },
} as const
