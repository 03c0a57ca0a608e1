import type { BlockEnd } from './networks.ts'
import type { InspectAnswer } from './sluice-answers.ts'

/**
 * The last cut tensor of each main block, where the paper's gates stand.
 *
 * @param width the network's, as a fraction of the one that `blocks` describe
 * @throws Error when no cut has a block's shape
 */
export function findMainBlocks({ cuts }: InspectAnswer, blocks: readonly BlockEnd[], width: number): string[] {
  return blocks.map(({ channels, map }) => {
    const shape = [Math.round(channels * width), map, map].join('x')
    const last = cuts.findLast((cut) => cut.shape.join('x') === shape)
    if (last !== undefined) return last.tensor
    throw new Error(
      `The network has no cut of shape ${shape}, where a main block should end; sluice inspect lists them.`,
    )
  })
}
