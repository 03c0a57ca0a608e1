import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { countElements } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { encodeNpy, normalise } from '@sluice/datasets'
import { createGraphBuilder, float, type OnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import { createTestEngine } from '../../../../tooling/create-test-engine.ts'

/** What a tiny network is like. */
export interface TinyNetworkOptions {
  /** Weight that stands once in the last layer instead of a random one. */
  readonly oddWeight?: number
  /** Whether a second input is added to the image. */
  readonly hasSecondInput?: boolean
  /** Whether the output is the last map instead of class scores. */
  readonly givesMap?: boolean
}

/** Shape of the tiny network's samples, and how many classes it knows. */
const tinySampleShape = [3, 8, 8] as const
export const tinyClassCount = 4

/** Options with which `attach` feeds the network what its labels were made from. */
export const tinyNormalisation = ['--mean', '0.5,0.5,0.5', '--std', '0.25,0.25,0.25'] as const

/** Weights of the tiny network: kernels `[outputs, inputs, 3, 3]`, and a dense layer `[8 * 8 * 8, classes]` behind them. */
export interface TinyWeights {
  readonly kernels: readonly { readonly inputs: number; readonly data: Float32Array }[]
  readonly dense: Float32Array
}

/** Channels of every map of the tiny network. */
export const tinyWidth = 8

/** The same random weights each time. */
export function drawTinyWeights({ oddWeight }: TinyNetworkOptions = {}): TinyWeights {
  const random = createRandom(11)
  const draw = (length: number) => Float32Array.from({ length }, () => 0.4 * (2 * random() - 1))
  const kernels = [3, tinyWidth, tinyWidth].map((inputs) => ({ inputs, data: draw(tinyWidth * inputs * 9) }))
  const dense = draw(tinyWidth * 64 * tinyClassCount)
  if (oddWeight !== undefined) dense[0] = oddWeight
  return { kernels, dense }
}

/** Three convolutions and a dense layer over 3 x 8 x 8 images. */
function createTinyNetwork(options: TinyNetworkOptions = {}): OnnxModel {
  const builder = createGraphBuilder({ name: 'tiny' })
  const { kernels, dense } = drawTinyWeights(options)
  const weights = (name: string, dims: readonly number[], data: Float32Array) =>
    builder.initializer(name, { type: 'float32', dims, data })
  let map = builder.input('image', 'float32', ['batch', ...tinySampleShape])
  if (options.hasSecondInput) {
    map = builder.node('Add', [map, builder.input('offset', 'float32', ['batch', ...tinySampleShape])])
  }
  for (const [layer, { inputs, data }] of kernels.entries()) {
    const kernel = weights(`kernel${layer}`, [tinyWidth, inputs, 3, 3], data)
    map = builder.node('Relu', [builder.node('Conv', [map, kernel], { pads: [1, 1, 1, 1] })])
  }
  if (options.givesMap) {
    builder.output(map, 'float32', ['batch', tinyWidth, 8, 8])
    return builder.buildModel()
  }
  const flat = builder.node('Flatten', [map])
  builder.node('Gemm', [flat, weights('dense', [512, tinyClassCount], dense)], { alpha: float(1) }, 'logits')
  builder.output('logits', 'float32', ['batch', tinyClassCount])
  return builder.buildModel()
}

/** Samples `[rows, 3, 8, 8]` in 0..1, each with a level of its own per channel; the same for the same seed. */
export function drawTinyImages(rows: number, seed: number): Float32Array {
  const random = createRandom(seed)
  const plane = 64
  const images = new Float32Array(rows * 3 * plane)
  for (let start = 0; start < images.length; start += plane) {
    const level = random()
    for (let i = start; i < start + plane; i++) images[i] = 0.7 * level + 0.3 * random()
  }
  return images
}

/** The tiny network's own answers: as labels they make it right every time. */
async function labelByNetwork(images: Float32Array): Promise<Int32Array> {
  const rows = images.length / countElements(tinySampleShape)
  const input = normalise(images.slice(), {
    shape: tinySampleShape,
    layout: 'NCHW',
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
  })
  const session = await createTestEngine().createSession(writeOnnxModel(createTinyNetwork()))
  const results = await session.run({ image: { type: 'float32', dims: [rows, ...tinySampleShape], data: input } })
  await session.release()
  const scores = results.logits?.data as Float32Array
  return Int32Array.from({ length: rows }, (_, row) => {
    const ofRow = [...scores.subarray(row * tinyClassCount, (row + 1) * tinyClassCount)]
    return ofRow.indexOf(Math.max(...ofRow))
  })
}

/** Writes `tiny.onnx`. Returns its path. */
export async function writeTinyNetwork(folder: string, name: string, options?: TinyNetworkOptions): Promise<string> {
  return writeAt(join(folder, name), writeOnnxModel(createTinyNetwork(options)))
}

/** Writes samples and labels as npy files. Returns the DATA string. `labels` replaces the network's own answers. */
export async function writeTinyData(
  folder: string,
  name: string,
  { rows, seed, labels }: { readonly rows: number; readonly seed: number; readonly labels?: Int32Array },
): Promise<string> {
  const images = drawTinyImages(rows, seed)
  const path = await writeAt(join(folder, `${name}.npy`), encodeNpy(images, [rows, ...tinySampleShape]))
  const file = join(folder, `${name}-labels.npy`)
  await writeAt(file, encodeNpy(labels ?? (await labelByNetwork(images)), [rows]))
  return `npy:${path},${file}`
}

/** Writes a file and the folders above it. Returns its path. */
export async function writeAt(path: string, content: Uint8Array | string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return path
}
