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
  const out = `${network}.sluice`
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
