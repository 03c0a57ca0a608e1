import type {
  Bundle,
  BundleManifest,
  GateDescription,
  HeadDescription,
  InputDescription,
  StageDescription,
  StageMacs,
} from '../bundle.ts'
import { InvalidArgumentError } from '../errors.ts'
import { countClasses, countOutputs, type DenseLayer, type ReferenceNetwork, type ReferenceStage } from './network.ts'

/** A bundle of format 'reference' in memory: one JSON file per stage, gates that never fire. */
export async function createReferenceBundle(network: ReferenceNetwork): Promise<Bundle> {
  const contents = new Map(network.stages.map((stage, index) => [getFile(index), encodeJson(stage)]))
  const files = await Promise.all(
    Array.from(contents, async ([path, bytes]) => [path, await describeFile(bytes)] as const),
  )
  return {
    manifest: { ...describeReferenceNetwork(network), files: Object.fromEntries(files) },
    async read(path) {
      const bytes = contents.get(path)
      if (bytes === undefined) throw new InvalidArgumentError(`The reference bundle has no file '${path}'.`)
      return bytes.slice()
    },
  }
}

/**
 * The manifest of a reference network, but for its files: stages, costs and gates that never fire. An adapter's
 * conformance factory starts from it and replaces format, file names and tensor names by its own.
 */
export function describeReferenceNetwork(network: ReferenceNetwork): Omit<BundleManifest, 'files'> {
  const stages = network.stages.map((stage, index) => describeStage(network, stage, index))
  const backboneMacs = stages.reduce((total, { macs }) => total + macs.backbone, 0)
  return {
    specVersion: 'v1',
    format: 'reference',
    name: 'reference network',
    input: describeInput(network),
    classes: Array.from({ length: countClasses(network) }, (_, index) => `class ${index}`),
    macs: backboneMacs,
    stages,
    gates: describeGates(network, stages, backboneMacs),
    calibration: null,
  }
}

function describeInput({ inputShape }: ReferenceNetwork): InputDescription {
  return { name: 'input', dataType: 'float32', shape: inputShape, layout: 'none', mean: [], std: [], resize: null }
}

function describeStage(network: ReferenceNetwork, stage: ReferenceStage, index: number): StageDescription {
  const isLast = stage.head === null
  return {
    file: getFile(index),
    macs: countStageMacs(stage),
    input: index === 0 ? 'input' : `cut-${index - 1}`,
    output: isLast ? null : `cut-${index}`,
    outputShape: isLast ? null : [countOutputs(stage.layers)],
    scores: index === network.stages.length - 1 ? 'scores' : `scores-${index}`,
    ...(stage.takesScores ? { scoresInput: `scores-${index - 1}` } : {}),
    ...(stage.yieldsFeatures ? { features: { output: `features-${index}`, width: countOutputs(stage.layers) } } : {}),
  }
}

function describeGates(
  network: ReferenceNetwork,
  stages: readonly StageDescription[],
  macs: number,
): GateDescription[] {
  let spent = 0
  return network.stages.flatMap(({ head }, stage) => {
    spent += stages[stage]?.macs.backbone ?? 0
    if (head === null) return []
    const policy = { name: 'softmax', parameters: {}, threshold: null }
    return [{ stage, share: spent / macs, head: describeHead(head), policy }]
  })
}

function describeHead(layers: readonly DenseLayer[]): HeadDescription {
  const hidden = layers.length > 1 ? (layers[0]?.bias.length ?? 0) : null
  return {
    kind: hidden === null ? 'linear' : 'mlp',
    pooling: { size: 1, kind: 'average' },
    hidden,
    loss: 'cross-entropy',
    parameters: countMacs(layers) + layers.reduce((total, { bias }) => total + bias.length, 0),
    fitAccuracy: 0,
    weightNorms: layers.at(-1)?.weights.map((row) => Math.hypot(...row)) ?? [],
  }
}

function countStageMacs({ layers, head }: ReferenceStage): StageMacs {
  return { backbone: countMacs(layers), head: countMacs(head ?? []) }
}

function countMacs(layers: readonly DenseLayer[]): number {
  return layers.reduce((total, { weights }) => total + weights.reduce((sum, row) => sum + row.length, 0), 0)
}

function getFile(stage: number): string {
  return `stage-${stage}.json`
}

function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value))
}

async function describeFile(bytes: Uint8Array<ArrayBuffer>): Promise<{ sha256: string; bytes: number }> {
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes))
  return { sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''), bytes: bytes.length }
}
