import type { BundleManifest, GateDescription, HeadDescription, InputDescription, StageDescription } from '@sluice/core'
import {
  addHead,
  type Cut,
  countHeadMacs,
  gateScoresName,
  inlineExternalData,
  type OnnxModel,
  splitIntoStages,
  writeOnnxModel,
} from '@sluice/onnx-graph'
import type { FittedHead } from '@sluice/training'

/** A head fitted for one cut. */
export interface CutHead {
  readonly cut: Cut
  readonly fitted: FittedHead
  readonly loss: HeadDescription['loss']
}

/** A network, what it is called, and the heads for its gates in network order. */
export interface GatedNetworkParts {
  readonly model: OnnxModel
  readonly name: string
  readonly input: InputDescription
  readonly output: string
  readonly classes: readonly string[]
  readonly macs: number
  readonly heads: readonly CutHead[]
  /** Name of the policy whose gates are written, all of them off. */
  readonly policy: string
}

/** What `writeBundle` takes. */
export interface AssembledBundle {
  readonly manifest: Omit<BundleManifest, 'files'>
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** Splits the network at the heads' cuts and joins each stage with its head. No gate fires until it is calibrated. */
export function assembleBundle(parts: GatedNetworkParts): AssembledBundle {
  const { model, heads, input, classes, macs, name } = parts
  const split = splitIntoStages(
    model,
    heads.map(({ cut }) => cut.tensor),
  )
  const files: Record<string, Uint8Array> = {}
  const stages = split.map((stage, index): StageDescription => {
    const head = heads[index]
    const file = `stage-${index}.onnx`
    const gated = head === undefined ? stage.model : addHead(stage.model, head.cut.tensor, head.fitted.head, index)
    files[file] = writeOnnxModel(inlineExternalData(gated))
    return {
      file,
      macs: {
        backbone: (head?.cut.macs ?? macs) - (heads[index - 1]?.cut.macs ?? 0),
        head: head === undefined ? 0 : countHeadMacs(head.fitted.head),
      },
      input: stage.input,
      output: stage.output,
      outputShape: head?.cut.shape ?? null,
      scores: head === undefined ? parts.output : gateScoresName(index),
    }
  })
  const gates = heads.map((head, stage) => describeGate(head, stage, parts.policy))
  return {
    manifest: { specVersion: 'v1', format: 'onnx', name, input, classes, macs, stages, gates, calibration: null },
    files,
  }
}

function describeGate({ cut, fitted, loss }: CutHead, stage: number, policy: string): GateDescription {
  const { head, parameters, fitAccuracy, weightNorms } = fitted
  return {
    stage,
    share: cut.share,
    head: {
      kind: head.layers.length === 1 ? 'linear' : 'mlp',
      pooling: head.pooling,
      hidden: head.layers.length === 1 ? null : (head.layers.at(-1)?.inputs ?? null),
      loss,
      parameters,
      fitAccuracy,
      weightNorms,
    },
    policy: { name: policy, parameters: {}, threshold: null },
  }
}
