import { createRandom } from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { createMemoryDataset } from './memory-dataset.ts'

/**
 * A training of six steps of a network with three gates: on maps that the pooling's windows do not divide, and on one
 * that it takes whole.
 */
export const tinyTraining = {
  network: { kind: 'plain', layers: [4, 'pool', 6, 'pool', 6, 6], classes: 3, input: [10, 10, 3] },
  data: 'memory',
  epochs: 3,
  batch: 8,
  optimiser: { learningRate: 0.05, labelSmoothing: 0.1 },
  augmentation: { pad: 1, flip: true },
  gates: { kind: 'joint', at: ['block1', 'block2', 'block3'], pool: 4, hidden: 8, weights: 'learned' },
  backend: 'cpu',
}

/** Images of 10 x 10 pixels whose class is the channel that is brightest. */
export function createTinyImages(rows: number, seed: number): Dataset {
  const random = createRandom(seed)
  const labels = Int32Array.from({ length: rows }, () => Math.floor(3 * random()))
  const images = Float32Array.from({ length: rows * 300 }, (_, index) => {
    const [row, channel] = [Math.floor(index / 300), Math.floor(index / 100) % 3]
    return 0.7 * random() + (labels[row] === channel ? 0.3 : 0)
  })
  return createMemoryDataset(images, [3, 10, 10], labels, 3)
}
