import type { ExitCost } from '@sluice/calibration'
import type { StagedModel, Tensor } from '@sluice/core'

const rounds = 9

/**
 * What each stage costs on this machine: median milliseconds per row over repeated runs of one batch through all
 * stages. A stage's head runs in the same call as the stage, so its time is within `backbone` and `head` is 0.
 */
export async function measureStageTimes(model: StagedModel, images: Tensor): Promise<ExitCost> {
  const rows = images.dims[0] ?? 1
  const times: number[][] = model.network.stages.map(() => [])
  await timeStages(model, images, () => {})
  for (let round = 0; round < rounds; round++) {
    await timeStages(model, images, (stage, ms) => times[stage]?.push(ms / rows))
  }
  const backbone = times.map((values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0)
  return { backbone, head: backbone.slice(1).map(() => 0) }
}

async function timeStages(
  model: StagedModel,
  images: Tensor,
  report: (stage: number, ms: number) => void,
): Promise<void> {
  let activation = await model.upload(images)
  try {
    for (let stage = 0; stage < model.network.stages.length; stage++) {
      const startMs = performance.now()
      const result = await model.runStage(stage, activation)
      await result.scores.read()
      report(stage, performance.now() - startMs)
      result.scores.dispose()
      if (result.activation === null) break
      activation.dispose()
      activation = result.activation
    }
  } finally {
    activation.dispose()
  }
}
