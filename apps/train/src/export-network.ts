import { type Bundle, InvalidArgumentError } from '@sluice/core'
import {
  addLayoutHints,
  type FusedStage,
  fuseStages,
  type OnnxModel,
  readOnnxModel,
  removeIdleGates,
} from '@sluice/onnx-graph'
import { findPolicyFamily } from './policies.ts'

/** A whole gated network in one file. */
export interface ExportedNetwork {
  /** See `fuseStages`. */
  readonly model: OnnxModel
  /** For each value of the output `exit`, the index of the bundle's stage that it stands for: gates that are off have none. */
  readonly sourceStages: readonly number[]
  /** Thresholds of the gates in the file. */
  readonly thresholds: readonly number[]
}

/**
 * The bundle's network with its gates as one ONNX model; gates that are off are left out.
 * @throws InvalidArgumentError for another format than `onnx`, or a policy that ONNX operators cannot express
 * @throws UnsupportedGraphError for a network of an operator set below 13
 */
export async function exportGatedNetwork(source: Bundle): Promise<ExportedNetwork> {
  if (source.manifest.format !== 'onnx') {
    throw new InvalidArgumentError(
      `The bundle's format is ${source.manifest.format}; only gated ONNX networks go into one ONNX file.`,
    )
  }
  const { bundle, sourceStages } = await removeIdleGates(source)
  const { manifest } = bundle
  const stages: FusedStage[] = []
  for (const { file, input, output, scores } of manifest.stages) {
    const model = addLayoutHints(readOnnxModel(await bundle.read(file), { source: `'${file}'` }))
    stages.push({ model, input, output, scores })
  }
  const classCount = manifest.classes.length
  const gates = manifest.gates.map(({ policy }) => {
    const score = findPolicyFamily(policy.name).expressScore?.(policy.parameters, classCount)
    if (score !== undefined) return { score, threshold: policy.threshold ?? Number.POSITIVE_INFINITY }
    throw new InvalidArgumentError(
      `The policy '${policy.name}' cannot be written in ONNX operators. Calibrate for another, e.g. with --policy softmax.`,
    )
  })
  return {
    model: fuseStages(stages, gates, classCount),
    sourceStages,
    thresholds: gates.map(({ threshold }) => threshold),
  }
}
