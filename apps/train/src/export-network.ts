import { type Bundle, InvalidArgumentError } from '@sluice/core'
import {
  addLayoutHints,
  type FusedStage,
  fuseStages,
  type OnnxModel,
  readOnnxModel,
  removeFeatures,
  removeIdleGates,
  thresholdName,
} from '@sluice/onnx-graph'
import { createBundlePolicy, policyFamilies } from './policies.ts'

/** A whole gated network in one file. */
export interface ExportedNetwork {
  /** See `fuseStages`. */
  readonly model: OnnxModel
  /** What the output `exit` can say: indices of the bundle's stages, as the runner counts them. */
  readonly exits: readonly number[]
  /** Thresholds of the gates in the file, by `thresholdName`. */
  readonly thresholds: ReadonlyMap<string, number>
}

/**
 * The bundle's network with its gates as one ONNX model; gates that are off are left out as `removeIdleGates` does.
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
  for (const [position, { file, input, output, scores, scoresInput, features }] of manifest.stages.entries()) {
    const stage = readOnnxModel(await bundle.read(file), { source: `'${file}'` })
    // No score that can be expressed in the file looks at features.
    const model = addLayoutHints(features === undefined ? stage : removeFeatures(stage, features))
    stages.push({ index: sourceStages[position] ?? position, model, input, output, scores, scoresInput })
  }
  const { name, expression } = createBundlePolicy(manifest)
  if (expression === undefined) {
    throw new InvalidArgumentError(
      `The policy '${name}' cannot be written in ONNX operators. Calibrate for one that can: --policy ${listExportable()}.`,
    )
  }
  const thresholds = new Map<string, number>()
  for (const [position, gate] of expression.gates.entries()) {
    if (gate !== null) thresholds.set(thresholdName(stages[position]?.index ?? 0), gate.threshold)
  }
  return { model: fuseStages(stages, expression, manifest.classes.length), exits: sourceStages, thresholds }
}

function listExportable(): string {
  const names = policyFamilies.filter((family) => family.expressScore !== undefined).map(({ name }) => name)
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
