import { join } from 'node:path'
import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, it } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyClassCount, tinyNormalisation, writeAt, writeTinyNetwork } from './testing/tiny-files.ts'
import { useTinyData } from './testing/use-tiny-data.ts'

const tiny = useTinyData('bench')

/** A convolution as wide as layout hints ask beside the padded image, a ReLU behind their sum, and a dense layer. */
function writeResidualNetwork(path: string): Promise<string> {
  const channels = 16
  const builder = createGraphBuilder({ name: 'residual' })
  const weights = (name: string, ...dims: number[]) => {
    const data = new Float32Array(dims.reduce((product, size) => product * size)).fill(0.01)
    return builder.initializer(name, { type: 'float32', dims, data })
  }
  const image = builder.input('image', 'float32', ['batch', 3, 8, 8])
  const convolved = builder.node('Conv', [image, weights('kernel', channels, 3, 1, 1)])
  const ends = BigInt64Array.of(0n, 0n, 0n, 0n, 0n, BigInt(channels - 3), 0n, 0n)
  const pads = builder.initializer('pads', { type: 'int64', dims: [8], data: ends })
  const sum = builder.node('Add', [convolved, builder.node('Pad', [image, pads])])
  const map = builder.node('Relu', [sum], {}, 'map')
  const dense = weights('dense', channels * 64, tinyClassCount)
  builder.node('Gemm', [builder.node('Flatten', [map]), dense], {}, 'logits')
  builder.output('logits', 'float32', ['batch', tinyClassCount])
  return writeAt(path, writeOnnxModel(builder.buildModel()))
}

/** Attaches a gate. @returns the arguments that bench the bundle */
async function attachForBench(network: string, cut: string) {
  const out = `${network}.${cut}.sluice`
  const options = ['--data', tiny.training, ...tinyNormalisation, '--head', 'linear']
  const attached = await runSluice('attach', network, ...options, '--out', out, '--at', cut)
  expect(attached.status, attached.stderr).toBe(0)
  return ['bench', out, '--data', tiny.unseen, '--batch', '8', '--rows', '16', '--rounds', '2'] as const
}

it.runIf(process.arch === 'x64')('times the plain network with layout hints, where stages get them', async () => {
  const bench = await attachForBench(await writeResidualNetwork(join(tiny.folder, 'residual.onnx')), 'map')
  const { batch } = await runSluiceForJson<{ batch: { fullHinted: object }[] }>(...bench)
  expect(batch.map(({ fullHinted }) => Object.keys(fullHinted))).toEqual([['median', 'min', 'max']])
  const { stdout } = await runSluice(...bench)
  expect(stdout).toMatch(/^batch +full +full, hinted +gated .*\n[- ]+\n8( +\d+\.\d\d ms){4}( +-?\d+\.\d %){4}\n$/)
})

it('says nothing of hints where there are none', async () => {
  const bench = await attachForBench(await writeTinyNetwork(tiny.folder, 'tiny.onnx'), 'relu_1')
  const { stdout } = await runSluice(...bench)
  expect(stdout).toMatch(/^batch +full +gated .*\n[- ]+\n8( +\d+\.\d\d ms){3}( +-?\d+\.\d %){4}\n$/)
})

it('puts the stages one by one and the one file beside the network', async () => {
  const bench = await attachForBench(await writeTinyNetwork(tiny.folder, 'whole.onnx'), 'relu_1')
  const [, bundle] = bench
  const calibrated = await runSluice('calibrate', bundle, '--data', tiny.training, '--max-drop', '50')
  expect(calibrated.status, calibrated.stderr).toBe(0)
  const { batch } = await runSluiceForJson<{ batch: Record<string, object>[] }>(...bench, '--fused')
  const keys = ['gated', 'noExit', 'timeSaved', 'overhead']
  expect(batch.map(({ staged = {}, fused = {} }) => [staged, fused].map((times) => Object.keys(times)))).toEqual([
    [keys, keys],
  ])
  const { stdout } = await runSluice(...bench, '--fused')
  const times = '( +\\d+\\.\\d\\d ms){3}( +-?\\d+\\.\\d %){4}\\n'
  expect(stdout).toMatch(new RegExp(`\\n8 ${times}8, stage by stage ${times}8, one file ${times}$`))
})

it('times another bundle of the network beside, and refuses one of another', async () => {
  const network = await writeTinyNetwork(tiny.folder, 'rivals.onnx')
  const bench = await attachForBench(network, 'relu_1')
  const [, rival] = await attachForBench(network, 'relu_3')
  const { batch } = await runSluiceForJson<{ batch: { against: object }[] }>(...bench, '--against', rival)
  expect(batch.map(({ against }) => Object.keys(against))).toEqual([['gated', 'timeSaved', 'ratio', 'macsSaved']])
  const { stdout } = await runSluice(...bench, '--against', rival)
  expect(stdout).toMatch(/\n8, against( +\d+\.\d\d ms){2}( +-?\d+\.\d %){2} *\n$/)
  const [, other] = await attachForBench(await writeResidualNetwork(join(tiny.folder, 'other.onnx')), 'map')
  const refused = await runSluice(...bench, '--against', other)
  expect(refused.status).toBe(2)
  expect(refused.stderr).toMatch(/other\.onnx\.map\.sluice holds another network than the benched bundle/)
})
