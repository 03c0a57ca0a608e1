import { countElements } from '@sluice/core'
import { countConvolvedPositions, type HeadLayer } from '@sluice/onnx-graph'
import { InvalidHeadFileError } from './errors.ts'

/** One affine layer of a head, as `HeadLayer` of `@sluice/onnx-graph`; `tanh` besides. */
export type HeadFileLayer = Omit<HeadLayer, 'activation'> & { readonly activation: HeadActivation }

export type HeadActivation = 'relu' | 'tanh' | 'none'

/** What a head file holds: everything of a head but its pooling, which stands in the manifest. */
export interface HeadFile {
  readonly layers: readonly HeadFileLayer[]
}

const activations: readonly string[] = ['relu', 'tanh', 'none'] satisfies HeadActivation[]

/**
 * A head's layers in the layout of safetensors (https://huggingface.co/docs/safetensors): the length of a JSON header as a
 * 64-bit little-endian integer, the header, then float32 values. Tensors `weights_0` `[inputs, outputs]`, `bias_0`
 * `[outputs]` and so on; `activations` among the metadata, separated by commas. Where layers are convolutions, the metadata
 * also hold the `maps` that they take, `16x16` for 16 rows and columns and nothing for other layers.
 */
export function writeHeadFile({ layers }: HeadFile): Uint8Array {
  const tensors = layers.flatMap(({ inputs, outputs, weights, bias }, index) => [
    { name: `weights_${index}`, shape: [inputs, outputs], data: weights },
    { name: `bias_${index}`, shape: [outputs], data: bias },
  ])
  let end = 0
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end
    end += data.byteLength
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const
  })
  const maps = layers.map(({ convolution }) => (convolution ? `${convolution.height}x${convolution.width}` : ''))
  const metadata = {
    activations: layers.map(({ activation }) => activation).join(','),
    ...(maps.some((map) => map !== '') ? { maps: maps.join(',') } : {}),
  }
  const header = encodeHeader({ __metadata__: metadata, ...Object.fromEntries(entries) })
  const bytes = new Uint8Array(header.length + end)
  bytes.set(header)
  let position = header.length
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    position += data.byteLength
  }
  return bytes
}

/** Padded with spaces, so that the values stand at a multiple of 8 bytes. */
function encodeHeader(value: object): Uint8Array {
  const json = JSON.stringify(value)
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8))
  const header = new Uint8Array(8 + text.length)
  new DataView(header.buffer).setBigUint64(0, BigInt(text.length), true)
  header.set(text, 8)
  return header
}

/**
 * Reads what {@link writeHeadFile} wrote; the arrays are the caller's.
 * @throws InvalidHeadFileError for bytes that are cut off or contradict their header, for layers that do not follow each
 * other, and for tensors of other names
 */
export function readHeadFile(bytes: Uint8Array): HeadFile {
  const { header, values } = readHeader(bytes)
  const names = String(header.__metadata__?.activations ?? '').split(',')
  const maps = String(header.__metadata__?.maps ?? '').split(',')
  const layers = names.map((activation, index): HeadFileLayer => {
    if (!activations.includes(activation)) {
      throw new InvalidHeadFileError(`Layer ${index} has the activation '${activation}'; known are ${activations}.`)
    }
    const weights = readTensor(header, values, `weights_${index}`, 2)
    const [inputs = 0, outputs = 0] = weights.shape
    const bias = readTensor(header, values, `bias_${index}`, 1)
    return {
      inputs,
      outputs,
      activation: activation as HeadActivation,
      weights: weights.data,
      bias: bias.data,
      ...readConvolution(maps[index] ?? '', index),
    }
  })
  checkLayers(layers)
  checkNames(header, layers.length)
  return { layers }
}

function readConvolution(map: string, index: number): Pick<HeadFileLayer, 'convolution'> {
  if (map === '') return {}
  const [height, width] = /^[1-9]\d{0,5}x[1-9]\d{0,5}$/.test(map) ? map.split('x').map(Number) : []
  if (height === undefined || width === undefined) {
    throw new InvalidHeadFileError(`Layer ${index} convolves a map of '${map}'; a map has rows and columns, as 16x16.`)
  }
  return { convolution: { height, width } }
}

interface TensorEntry {
  readonly dtype?: unknown
  readonly shape?: unknown
  readonly data_offsets?: unknown
}

type Header = Readonly<Record<string, TensorEntry | undefined>> & {
  readonly __metadata__?: { readonly activations?: unknown; readonly maps?: unknown }
}

function readHeader(bytes: Uint8Array): { readonly header: Header; readonly values: Uint8Array } {
  const length = bytes.length < 8 ? Number.NaN : readLength(bytes)
  if (!(8 + length <= bytes.length)) {
    throw new InvalidHeadFileError(`It ends before its header does, after ${bytes.length} bytes.`)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length))
    return { header: Object(JSON.parse(text)), values: bytes.subarray(8 + length) }
  } catch (cause) {
    throw new InvalidHeadFileError('Its header is no JSON.', { cause })
  }
}

function readLength({ buffer, byteOffset }: Uint8Array): number {
  return Number(new DataView(buffer, byteOffset).getBigUint64(0, true))
}

function readTensor(header: Header, values: Uint8Array, name: string, rank: number) {
  const { dtype, shape, data_offsets: offsets } = header[name] ?? {}
  if (dtype !== 'F32' || !isCounts(shape, rank) || !isCounts(offsets, 2)) {
    throw new InvalidHeadFileError(`It holds no float32 tensor '${name}' of rank ${rank}.`)
  }
  const [begin = 0, end = 0] = offsets
  if (end > values.length || end - begin !== 4 * countElements(shape)) {
    throw new InvalidHeadFileError(
      `Tensor '${name}' of shape [${shape.join(', ')}] stands at bytes ${begin} to ${end} of ${values.length}.`,
    )
  }
  // A copy, because float32 arrays must begin at a multiple of four bytes.
  return { shape, data: new Float32Array(new Uint8Array(values.subarray(begin, end)).buffer) }
}

function isCounts(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((n) => Number.isSafeInteger(n) && n >= 0)
}

/** What is not understood might change every answer. */
function checkNames(header: Header, layerCount: number): void {
  const known = new Set(Array.from({ length: layerCount }, (_, index) => [`weights_${index}`, `bias_${index}`]).flat())
  const unknown = Object.keys(header).find((name) => name !== '__metadata__' && !known.has(name))
  if (unknown === undefined) return
  throw new InvalidHeadFileError(
    `It holds a tensor '${unknown}', of which this release knows nothing. Attach the heads again.`,
  )
}

function checkLayers(layers: readonly HeadFileLayer[]): void {
  for (const [index, layer] of layers.entries()) {
    const { inputs, outputs, bias } = layer
    if (follows(layers[index - 1], layer) && bias.length === outputs) continue
    throw new InvalidHeadFileError(
      `Layer ${index} takes ${inputs} values and yields ${outputs} with ${bias.length} biases; it gets ${layers[index - 1]?.outputs ?? inputs} values.`,
    )
  }
}

/** Whether a layer takes what the one before yields; scores of another gate may join the map of the last convolution. */
function follows(before: HeadFileLayer | undefined, { inputs, convolution }: HeadFileLayer): boolean {
  if (convolution !== undefined) {
    const { height, width } = convolution
    const isHalf =
      before?.convolution === undefined ||
      (height === Math.ceil(before.convolution.height / 2) && width === Math.ceil(before.convolution.width / 2))
    const channels = before?.outputs ?? inputs / 9
    const isFirstOrBehindAnother = before === undefined || before.convolution !== undefined
    return isFirstOrBehindAnother && isHalf && Number.isInteger(channels) && inputs === 9 * channels
  }
  if (before?.convolution === undefined) return inputs === (before?.outputs ?? inputs)
  return inputs >= before.outputs * countConvolvedPositions(before.convolution)
}
