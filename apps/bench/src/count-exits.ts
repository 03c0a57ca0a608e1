import { createGatedModel, type ExitPolicy, type StagedModel, type Tensor } from '@sluice/core'

/** Where the rows of some batches left, and what that saved. */
export interface ExitCount {
  /** Share of the rows that left at each stage. */
  readonly shares: readonly number[]
  /** As a fraction of what the full network costs. */
  readonly macsSaved: number
}

/** Runs batches of at least one row through the gated network. */
export async function countExits(
  model: StagedModel,
  policy: ExitPolicy,
  batches: readonly Tensor<'float32'>[],
): Promise<ExitCount> {
  const gated = createGatedModel({ model, policy })
  const { stages } = model.network
  const leaving = stages.map(() => 0)
  let rows = 0
  let macs = 0
  for (const batch of batches) {
    for await (const group of gated.run(batch)) {
      leaving[group.stage] = (leaving[group.stage] ?? 0) + group.rows.length
      rows += group.rows.length
      macs += group.rows.length * group.macsPerRow
    }
  }
  const fullMacs = stages.reduce((sum, stage) => sum + stage.macs.backbone, 0)
  return { shares: leaving.map((count) => count / rows), macsSaved: 1 - macs / (rows * fullMacs) }
}
