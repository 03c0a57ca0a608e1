import type { RowBlock } from './row-blocks.ts'

/** A block and how many steps of how many rows an epoch takes on it. */
export interface BlockPlan extends RowBlock {
  readonly steps: number
  readonly batchRows: number
}

/**
 * Divides each block's rows into steps of nearly `batchRows` rows. A block with less than half of that is left out, and
 * rows that do not fill their block's last step wait for the next epoch's shuffle: a step on few rows does harm.
 */
export function planSteps(blocks: readonly RowBlock[], batchRows: number): BlockPlan[] {
  const largest = Math.max(...blocks.map(({ rows }) => rows.length))
  const wanted = Math.min(batchRows, largest)
  return blocks.flatMap((block) => {
    const steps = Math.round(block.rows.length / wanted)
    return steps === 0 ? [] : [{ ...block, steps, batchRows: Math.floor(block.rows.length / steps) }]
  })
}
