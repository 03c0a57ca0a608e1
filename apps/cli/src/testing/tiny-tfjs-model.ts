import { join } from 'node:path'
import { drawTinyWeights, type TinyNetworkOptions, tinyClassCount, tinyWidth, writeAt } from './tiny-files.ts'

/** Weights as a shard holds them. */
interface StoredWeights {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

/**
 * Writes the tiny network as a LayersModel of the layers `conv0` to `conv2`, `flat` and `logits`, with a shard for each
 * layer. The weights are those of the ONNX file, so that both give the same answers. Returns the folder.
 */
export async function writeTinyTfjsModel(
  folder: string,
  { givesMap = false }: Pick<TinyNetworkOptions, 'givesMap'> = {},
): Promise<string> {
  const convolutions = [0, 1, 2].map((index) => ({
    class_name: 'Conv2D',
    config: {
      name: `conv${index}`,
      filters: tinyWidth,
      kernel_size: [3, 3],
      padding: 'same',
      activation: 'relu',
      use_bias: false,
      ...(index === 0 ? { batch_input_shape: [null, 8, 8, 3], dtype: 'float32' } : {}),
    },
  }))
  const classifier = [
    { class_name: 'Flatten', config: { name: 'flat' } },
    { class_name: 'Dense', config: { name: 'logits', units: tinyClassCount, use_bias: false } },
  ]
  const layers = givesMap ? convolutions : [...convolutions, ...classifier]
  const topology = { class_name: 'Sequential', config: { name: 'tiny', layers } }
  const names = ['conv0/kernel', 'conv1/kernel', 'conv2/kernel', 'logits/kernel'].slice(0, givesMap ? 3 : 4)
  const weights = listWeights().slice(0, names.length)
  return writeModel(
    folder,
    topology,
    weights.map((stored, index) => ({ ...stored, name: names[index] ?? '' })),
  )
}

/** Writes the same network as a GraphModel; its convolutions end in the nodes `map0` to `map2`. Returns the folder. */
export async function writeTinyTfjsGraph(folder: string): Promise<string> {
  const T = { type: 'DT_FLOAT' }
  const text = (value: string) => ({ s: btoa(value) })
  const weights = [...listWeights(), { name: 'rows', shape: [2], data: Int32Array.of(-1, tinyWidth * 64) }]
  const constants = weights.map(({ name, data }) => {
    const type = data instanceof Int32Array ? 'DT_INT32' : 'DT_FLOAT'
    return { name, op: 'Const', attr: { dtype: { type } } }
  })
  const dim = [-1, 8, 8, 3].map((size) => ({ size: String(size) }))
  const ones = { list: { i: ['1', '1', '1', '1'] } }
  const convolution = { strides: ones, dilations: ones, padding: text('SAME'), data_format: text('NHWC') }
  const node = [
    { name: 'image', op: 'Placeholder', attr: { dtype: T, shape: { shape: { dim } } } },
    ...constants,
    ...[0, 1, 2].flatMap((index) => {
      const input = [index === 0 ? 'image' : `map${index - 1}`, `kernel${index}`]
      return [
        { name: `sum${index}`, op: 'Conv2D', input, attr: { T, ...convolution } },
        { name: `map${index}`, op: 'Relu', input: [`sum${index}`], attr: { T } },
      ]
    }),
    { name: 'flat', op: 'Reshape', input: ['map2', 'rows'], attr: { T } },
    { name: 'logits', op: 'MatMul', input: ['flat', 'dense'], attr: { T } },
  ]
  return writeModel(folder, { node, versions: { producer: 1 } }, weights)
}

/** The kernels `[3, 3, inputs, outputs]` and the dense layer `[height * width * channels, classes]`. */
function listWeights(): StoredWeights[] {
  const { kernels, dense } = drawTinyWeights()
  return [
    ...kernels.map(({ inputs, data }, index) => ({
      name: `kernel${index}`,
      shape: [3, 3, inputs, tinyWidth],
      data: permute(data, [tinyWidth, inputs, 9], [2, 1, 0]),
    })),
    {
      name: 'dense',
      shape: [64 * tinyWidth, tinyClassCount],
      data: permute(dense, [tinyWidth, 64, tinyClassCount], [1, 0, 2]),
    },
  ]
}

type Triple = readonly [number, number, number]

/** Values of shape `dims` with their axes in another order. */
function permute(values: Float32Array, dims: Triple, [first, second, third]: Triple): Float32Array {
  const strides = [dims[1] * dims[2], dims[2], 1]
  const permuted: number[] = []
  for (let i = 0; i < (dims[first] ?? 0); i++) {
    for (let j = 0; j < (dims[second] ?? 0); j++) {
      for (let k = 0; k < (dims[third] ?? 0); k++) {
        const index = i * (strides[first] ?? 0) + j * (strides[second] ?? 0) + k * (strides[third] ?? 0)
        permuted.push(values[index] ?? Number.NaN)
      }
    }
  }
  return Float32Array.from(permuted)
}

/** Writes `model.json`, and a shard for each of the weights. */
async function writeModel(folder: string, modelTopology: object, stored: readonly StoredWeights[]): Promise<string> {
  const weightsManifest = []
  for (const [index, { name, shape, data }] of stored.entries()) {
    const path = `shard${index}.bin`
    await writeAt(join(folder, path), new Uint8Array(data.buffer))
    const dtype = data instanceof Int32Array ? 'int32' : 'float32'
    weightsManifest.push({ paths: [path], weights: [{ name, shape, dtype }] })
  }
  await writeAt(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }))
  return folder
}
