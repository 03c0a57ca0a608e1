import { countElements } from '@sluice/core'
import type { io } from '@tensorflow/tfjs'
import { InvalidTfjsModelError } from './errors.ts'
import type { TfjsFormat, TfjsModelFiles } from './tfjs-network.ts'

/** A model read and checked, not yet in the engine's memory. */
export interface TfjsModelData {
  readonly format: TfjsFormat
  readonly artifacts: io.ModelArtifacts
  /** Elements of all floating-point weights. */
  readonly parameters: number
}

/**
 * Reads `model.json` and all shards.
 * @throws InvalidTfjsModelError for text that is no TensorFlow.js model, and for shards of another length than it declares
 */
export async function readModelFiles(files: TfjsModelFiles): Promise<TfjsModelData> {
  const json = parseModelJson(files.json)
  const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights)
  const weightData: ArrayBuffer[] = []
  for (const group of json.weightsManifest) weightData.push(...(await readGroup(group, files)))
  const { modelTopology, signature, userDefinedMetadata, modelInitializer, initializerSignature } = json
  // Without the training configuration, which would create an optimiser.
  const artifacts = { modelTopology, signature, userDefinedMetadata, modelInitializer, initializerSignature }
  const present = Object.fromEntries(Object.entries(artifacts).filter(([, value]) => value != null))
  return {
    format: findFormat(json),
    artifacts: { ...present, weightSpecs, weightData },
    parameters: countParameters(weightSpecs),
  }
}

/** Paths of a model's shards relative to `model.json`, in order, each once. @throws InvalidTfjsModelError */
export function listShards(json: Uint8Array): string[] {
  return [...new Set(parseModelJson(json).weightsManifest.flatMap(({ paths }) => paths))]
}

/**
 * `model.json` with its shards at other paths; the same bytes where every name is the path.
 * @param names by path, for all shards
 */
export function renameShards(json: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  if ([...names].every(([path, name]) => path === name)) return json
  const model = parseModelJson(json)
  const weightsManifest = model.weightsManifest.map((group) => ({
    ...group,
    paths: group.paths.map((path) => names.get(path) ?? path),
  }))
  return new TextEncoder().encode(JSON.stringify({ ...model, weightsManifest }))
}

type ModelJson = Omit<io.ModelJSON, 'modelTopology'> & { readonly modelTopology: Record<string, unknown> }

function parseModelJson(bytes: Uint8Array): ModelJson {
  const value = parseJson(bytes)
  if (!isRecord(value) || !isRecord(value.modelTopology)) {
    throw new InvalidTfjsModelError("model.json has no field 'modelTopology'. Pass the model.json of a saved model.")
  }
  const manifest = value.weightsManifest
  if (!Array.isArray(manifest) || !manifest.every(isWeightGroup)) {
    throw new InvalidTfjsModelError("model.json has no valid 'weightsManifest'. Save the model with its weights.")
  }
  return value as unknown as ModelJson
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const problem = `model.json (${bytes.length} bytes) is no valid JSON; it may be cut off. Copy it again.`
    throw new InvalidTfjsModelError(problem, { cause })
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWeightGroup(group: unknown): boolean {
  return (
    isRecord(group) && isListOf(group.paths, (path) => typeof path === 'string') && isListOf(group.weights, isWeight)
  )
}

function isWeight(weight: unknown): boolean {
  if (!isRecord(weight) || typeof weight.name !== 'string' || typeof weight.dtype !== 'string') return false
  return isListOf(weight.shape, (size) => Number.isSafeInteger(size) && (size as number) >= 0)
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem)
}

/** Files of early releases do not name their format. */
function findFormat({ format, modelTopology }: ModelJson): TfjsFormat {
  if (format === 'graph-model' || Array.isArray(modelTopology.node)) return 'tfjs-graph'
  if (format === 'layers-model' || 'model_config' in modelTopology || 'class_name' in modelTopology)
    return 'tfjs-layers'
  throw new InvalidTfjsModelError(
    `model.json has format ${JSON.stringify(format)}; a layers-model or a graph-model is needed. Convert it with tensorflowjs_converter.`,
  )
}

type WeightGroup = io.WeightsManifestConfig[number]

async function readGroup({ paths, weights }: WeightGroup, files: TfjsModelFiles): Promise<ArrayBuffer[]> {
  const shards: ArrayBuffer[] = []
  // A copy, because views into larger buffers are no ArrayBuffer of their own.
  for (const path of paths) shards.push(new Uint8Array(await files.read(path)).buffer)
  const actual = shards.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const sizes = weights.map((weight) => sizeBytesOf(weight))
  const expected = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  const isExact = !sizes.includes(null)
  if (actual < expected || (isExact && actual !== expected)) {
    throw new InvalidTfjsModelError(
      `the weights in '${paths.join("', '")}' have ${actual} bytes, model.json declares ${expected}. Copy the files again.`,
    )
  }
  return shards
}

const bytesByType: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
}

/** Null for strings, whose length stands among their bytes. */
function sizeBytesOf({ name, dtype, shape, quantization }: io.WeightsManifestEntry): number | null {
  if (dtype === 'string') return null
  const type = quantization?.dtype ?? dtype
  const bytes = bytesByType[type]
  if (bytes === undefined) throw new InvalidTfjsModelError(`weight '${name}' has the unknown element type '${type}'.`)
  return countElements(shape) * bytes
}

function countParameters(weights: readonly io.WeightsManifestEntry[]): number {
  const counted = weights.filter(({ dtype, group }) => dtype === 'float32' && group !== 'optimizer')
  return counted.reduce((sum, { shape }) => sum + countElements(shape), 0)
}
