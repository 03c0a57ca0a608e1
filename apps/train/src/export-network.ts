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
 * @throws UnsupportedBundleError for another format than `onnx`
 * @throws InvalidArgumentError for a policy that ONNX operators cannot express
 */
export async function exportGatedNetwork(source: Bundle): Promise<ExportedNetwork> {
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
