import { type Bundle, type BundleManifest, createGatedModel, type PoolingDescription, type Tensor } from '@sluice/core'
import { createRandom, createRandomBatch, createScriptedPolicy } from '@sluice/core/reference'
import { describe, expect, test } from 'vitest'
import { createTfjsBackend } from './backend.ts'
import { type HeadFileLayer, writeHeadFile } from './head-file.ts'
import { openNodeTfjs } from './node.ts'
import { openTfjsNetwork } from './open-tfjs-network.ts'
import { countTfjsFeatures } from './pool-features.ts'
import { createConvGraph } from './testing/conv-graph.ts'
import { expectClose } from './testing/expect-close.ts'
import { createMobileNet } from './testing/mobile-net.ts'
import { asModelFiles, saveLayersModel } from './testing/saved-model.ts'
import type { TfjsNetwork } from './tfjs-network.ts'

const tf = await openNodeTfjs('wasm')
const pooling: PoolingDescription = { size: 2, kind: 'average+maximum' }

/** A linear head with random weights. */
function createHead(inputs: number, outputs: number, seed: number): HeadFileLayer {
  const random = createRandom(seed)
  const draw = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1)
  return { inputs, outputs, activation: 'none', weights: draw(inputs * outputs), bias: draw(outputs) }
}

function applyHead({ inputs, outputs, weights, bias }: HeadFileLayer, features: Float32Array): number[] {
  return Array.from({ length: (features.length / inputs) * outputs }, (_, i) => {
    const [row, output] = [Math.floor(i / outputs), i % outputs]
    const rowFeatures = features.subarray(row * inputs, (row + 1) * inputs)
    return rowFeatures.reduce((sum, x, k) => sum + x * (weights[k * outputs + output] ?? 0), bias[output] ?? 0)
  })
}

/** The network with random heads at two cuts, and those heads. */
async function createBundle(network: TfjsNetwork, cutNames: readonly string[]) {
  const classes = network.outputs[0]?.shape[1] as number
  const cuts = cutNames.map((name) => network.cuts.find(({ tensor }) => tensor === name) ?? expect.unreachable())
  const heads = cuts.map(({ shape }, index) => createHead(countTfjsFeatures(shape, pooling), classes, index))
  const ends = [...cuts.map(({ macs }) => macs), network.macs]
  const stages = ends.map((macs, index) => ({
    file: 'model.json',
    macs: { backbone: macs - (ends[index - 1] ?? 0), head: heads[index]?.weights.length ?? 0 },
    input: cuts[index - 1]?.tensor ?? network.inputs[0]?.name ?? '',
    output: cuts[index]?.tensor ?? null,
    outputShape: cuts[index]?.shape ?? null,
    scores: index < cuts.length ? `gate-${index}` : (network.outputs[0]?.name ?? ''),
    headFile: index < cuts.length ? `gate-${index}.safetensors` : undefined,
  }))
  const gates = cuts.map(({ share }, stage) => ({
    stage,
    share,
    head: {
      kind: 'linear' as const,
      pooling,
      hidden: null,
      loss: 'cross-entropy' as const,
      parameters: 0,
      fitAccuracy: 0,
      weightNorms: [],
    },
    policy: { name: 'softmax', parameters: {}, threshold: null },
  }))
  const manifest: BundleManifest = {
    specVersion: 'v1',
    format: network.format,
    name: 'convolutions',
    input: {
      name: network.inputs[0]?.name ?? '',
      dataType: 'float32',
      shape: network.inputs[0]?.shape.slice(1).map(Number) ?? [],
      layout: 'NHWC',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      resize: null,
    },
    classes: Array.from({ length: classes }, String),
    macs: network.macs,
    stages,
    gates,
    calibration: null,
    files: {},
  }
  const headFiles = heads.map(
    (head, index) => [`gate-${index}.safetensors`, writeHeadFile({ layers: [head] })] as const,
  )
  const files = new Map([...Object.entries(await network.files()), ...headFiles])
  const bundle: Bundle = { manifest, read: async (path) => files.get(path) ?? expect.unreachable() }
  return { bundle, heads }
}

const models = [
  ['tfjs-layers', ['conv_pw_0_relu', 'conv_dw_2_relu'], async () => saveLayersModel(tf, createMobileNet(tf))],
  ['tfjs-graph', ['stem', 'sum'], async () => createConvGraph()],
] as const

describe.each(models)('a gated %s network of convolutions', (_, cutNames, save) => {
  test('answers at each gate what its head makes of the pooled features, and at the end what the whole does', async () => {
    const network = await openTfjsNetwork(tf, asModelFiles(await save()))
    const { bundle, heads } = await createBundle(network, cutNames)
    const model = await createTfjsBackend({ tf }).load(bundle)
    const images = createRandomBatch(3, 6, bundle.manifest.input.shape) as Tensor<'float32'>
    const whole = await network.run(
      images,
      cutNames.map((tensor) => ({ tensor, pooling })),
    )
    const expected = [
      ...cutNames.map((name, index) => {
        const features = whole.features.get(name) ?? expect.unreachable()
        return applyHead(heads[index] ?? expect.unreachable(), features)
      }),
      whole.scores.data,
    ]
    const exits = [2, 0, 1, 2, 0, 2]
    const { scores } = await createGatedModel({ model, policy: createScriptedPolicy(exits) }).predict(images)
    exits.forEach((exit, row) => {
      const [start, end] = [row * scores.classCount, (row + 1) * scores.classCount]
      const due = expected[exit]?.slice(start, end) ?? expect.unreachable()
      expectClose(scores.data.subarray(start, end), due, { rtol: 1e-4, atol: 1e-5 })
    })
    expect(model.liveHandles).toBe(0)
    await model.dispose()
    network.dispose()
  })
})
