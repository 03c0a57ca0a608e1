import type { Tfjs } from '@sluice/adapter-tfjs'
import { InvalidArgumentError } from '@sluice/core'
import { spreadGates } from '@sluice/training'
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { type BlockOutput, logitsName, type NetworkPlan } from '../networks/network-plan.ts'
import { createTrainableNetwork, type TrainableNetwork } from '../networks/trainable-network.ts'
import { createExitHead, type ExitHead } from './exit-head.ts'
import type { TrainedVariable } from './named-variables.ts'
import type { TrainConfig } from './train-config.ts'

/** A network with the heads that are trained with it. */
export interface MultiExitNetwork {
  /** The network without the heads. */
  readonly backbone: TrainableNetwork
  /** In network order; none unless gates are trained jointly. */
  readonly heads: readonly ExitHead[]
  /** Of the network and the heads. */
  readonly parameters: readonly TrainedVariable[]
  /** Class scores `[batch, classes]` of every exit, the network's end last, from images `[batch, height, width, channels]`. */
  forward(images: Tensor4D, training: boolean): Tensor2D[]
  dispose(): void
}

/** @throws InvalidArgumentError for gates at blocks that the network does not have, or too many */
export function createMultiExitNetwork(
  tf: Tfjs,
  plan: NetworkPlan,
  { gates, seed }: Pick<TrainConfig, 'gates' | 'seed'>,
): MultiExitNetwork {
  const heads =
    gates.kind !== 'joint'
      ? []
      : chooseBlocks(plan, gates).map((block, index) =>
          createExitHead(tf, {
            block,
            poolSize: gates.pool,
            hidden: gates.hidden,
            classes: plan.classes,
            seed: seed + 1 + index,
          }),
        )
  const backbone = createTrainableNetwork(tf, plan, seed)
  const wanted = [...heads.map(({ block }) => block), logitsName]
  return {
    backbone,
    heads,
    parameters: [...backbone.parameters, ...heads.flatMap(({ parameters }) => parameters)],
    forward(images, training) {
      const values = backbone.forward(images, training, wanted)
      const maps = values.slice(0, -1) as Tensor4D[]
      const scores = heads.map((head, index) => head.forward(maps[index] as Tensor4D))
      return [...scores, values.at(-1) as Tensor2D]
    },
    dispose() {
      backbone.dispose()
      for (const { parameters } of heads) for (const { variable } of parameters) variable.dispose()
    },
  }
}

/** The blocks at which gates stand. A gate behind the last block would save nothing but the last layer. */
function chooseBlocks(
  { blocks }: NetworkPlan,
  { at, count }: { readonly at: readonly string[] | null; readonly count: number | null },
): readonly BlockOutput[] {
  const candidates = blocks.slice(0, -1)
  if (at === null) {
    const chosen = spreadGates(candidates, count ?? 0)
    return candidates.filter((_, index) => chosen.includes(index))
  }
  const unknown = at.find((name) => !candidates.some((block) => block.name === name))
  if (unknown === undefined) return candidates.filter(({ name }) => at.includes(name))
  throw new InvalidArgumentError(
    `gates.at: a gate cannot stand at '${unknown}'; the blocks are ${candidates.map(({ name }) => name).join(', ')}.`,
  )
}
