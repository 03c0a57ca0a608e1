import type { BundleManifest, GateDescription, HeadDescription, InputDescription, StageDescription } from '@sluice/core'
import { type Cut, countHeadMacs } from '@sluice/onnx-graph'
import type { FittedHead } from '@sluice/training'
import type { FrozenNetwork } from './frozen-network.ts'

/** A head fitted for one cut. */
export interface CutHead {
  readonly cut: Cut
  readonly fitted: Pick<FittedHead, 'head' | 'parameters' | 'weightNorms' | 'fitAccuracy'>
  readonly loss: HeadDescription['loss']
}

/** A network, what it is called, and the heads for its gates in network order. */
export interface GatedNetworkParts {
  readonly network: Pick<FrozenNetwork, 'format' | 'macs' | 'splitAtHeads'>
  readonly name: string
  readonly input: InputDescription
  readonly classes: readonly string[]
  readonly heads: readonly CutHead[]
  /** Whether gates also yield pooled features for policies that look at them; false when absent. */
  readonly features?: boolean
  /** Name of the policy whose gates are written, all of them off. */
  readonly policy: string
}

/** What `writeBundle` takes. */
export interface AssembledBundle {
  readonly manifest: Omit<BundleManifest, 'files'>
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** Splits the network at the heads' cuts and joins each stage with its head. No gate fires until it is calibrated. */
export async function assembleBundle(parts: GatedNetworkParts): Promise<AssembledBundle> {
  const { network, heads, input, classes, name, features: yieldsFeatures = false } = parts
  const { format, macs } = network
  const split = await network.splitAtHeads(heads.map(({ cut, fitted }) => ({ cut, head: fitted.head, yieldsFeatures })))
  const stages = split.stages.map((place, index): StageDescription => {
    const head = heads[index]
    return {
      ...place,
      macs: {
        backbone: (head?.cut.macs ?? macs) - (heads[index - 1]?.cut.macs ?? 0),
        head: head === undefined ? 0 : countHeadMacs(head.fitted.head),
      },
      outputShape: head?.cut.shape ?? null,
    }
  })
  const gates = heads.map((head, stage) => describeGate(head, stage, parts.policy))
  return {
    manifest: { specVersion: 'v1', format, name, input, classes, macs, stages, gates, calibration: null },
    files: split.files,
  }
}

function describeGate({ cut, fitted, loss }: CutHead, stage: number, policy: string): GateDescription {
  const { head, parameters, fitAccuracy, weightNorms } = fitted
  const channels = head.layers.flatMap(({ convolution, outputs }) => (convolution === undefined ? [] : [outputs]))
  const dense = head.layers.slice(channels.length)
  return {
    stage,
    share: cut.share,
    head: {
      kind: channels.length > 0 ? 'convolutional' : dense.length === 1 ? 'linear' : 'mlp',
      pooling: head.pooling,
      hidden: dense.length === 1 ? null : (dense.at(-1)?.inputs ?? null),
      ...(channels.length > 0 ? { channels } : {}),
      loss,
      parameters,
      fitAccuracy,
      weightNorms,
    },
    policy: { name: policy, parameters: {}, threshold: null },
  }
}
