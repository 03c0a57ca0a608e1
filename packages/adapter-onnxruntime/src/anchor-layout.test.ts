import { createGraphBuilder, type OnnxModel, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, test } from 'vitest'
import { anchorLayout } from './anchor-layout.ts'
import { createOnnxEngine } from './node.ts'

const stage = { file: 'stage-1.onnx', input: 'x' }

/** A residual block: `relu(conv(x) + x)` over 16 channels. */
function createResidualBlock(): OnnxModel {
  const builder = createGraphBuilder({ name: 'block' })
  const input = builder.input('x', 'float32', ['rows', 16, 4, 4])
  const data = Float32Array.from({ length: 16 * 16 * 9 }, (_, i) => Math.sin(i))
  const weights = builder.initializer('weights', { type: 'float32', dims: [16, 16, 3, 3], data })
  const convolution = builder.node('Conv', [input, weights], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  builder.node('Relu', [builder.node('Add', [convolution, input])], {}, 'y')
  builder.output('y', 'float32', ['rows', 16, 4, 4])
  return builder.buildModel()
}

async function run(model: Uint8Array, value: (i: number) => number) {
  const session = await createOnnxEngine({ threads: 1 }).createSession(model)
  const data = Float32Array.from({ length: 2 * 256 }, (_, i) => value(i))
  const { y } = await session.run({ x: { type: 'float32', dims: [2, 16, 4, 4], data } })
  await session.release()
  return Array.from(y?.data as Float32Array)
}

test('an input that branches is anchored, and the answers stay', async () => {
  const model = writeOnnxModel(createResidualBlock())
  const anchored = anchorLayout(model, stage)
  expect(readOnnxModel(anchored).graph.node.map(({ opType }) => opType)).toEqual(['AveragePool', 'Conv', 'Add', 'Relu'])
  const [before, after] = [await run(model, Math.cos), await run(anchored, Math.cos)]
  after.forEach((value, i) => {
    expect(value).toBeCloseTo(before[i] as number, 4)
  })
})

test('NaN passes the anchor', async () => {
  const anchored = anchorLayout(writeOnnxModel(createResidualBlock()), stage)
  expect(await run(anchored, () => Number.NaN)).toEqual(Array(512).fill(Number.NaN))
})

test('a model whose input does not branch is left alone', () => {
  const builder = createGraphBuilder({ name: 'chain' })
  builder.node('Relu', [builder.input('x', 'float32', ['rows', 16, 4, 4])], {}, 'y')
  builder.output('y', 'float32', ['rows', 16, 4, 4])
  const model = writeOnnxModel(builder.buildModel())
  expect(anchorLayout(model, stage)).toBe(model)
})

test('an input that is no image is left alone', () => {
  const builder = createGraphBuilder({ name: 'vectors' })
  const input = builder.input('x', 'float32', ['rows', 16])
  builder.node('Add', [builder.node('Relu', [input]), input], {}, 'y')
  builder.output('y', 'float32', ['rows', 16])
  const model = writeOnnxModel(builder.buildModel())
  expect(anchorLayout(model, stage)).toBe(model)
})

test('a shortcut that leaves the blocked layout is anchored where it joins again, once', () => {
  const builder = createGraphBuilder({ name: 'blocks' })
  let x = builder.input('x', 'float32', ['rows', 16, 4, 4])
  const data = new Float32Array(16 * 16)
  const weights = builder.initializer('weights', { type: 'float32', dims: [16, 16, 1, 1], data })
  for (const shortcut of ['Abs', 'Relu', 'Relu']) {
    const convolution = builder.node('Conv', [x, weights], { kernel_shape: [1, 1] })
    x = builder.node('Add', [convolution, builder.node(shortcut, [x])])
  }
  builder.node('Relu', [x], {}, 'y')
  builder.output('y', 'float32', ['rows', 16, 4, 4])
  const anchored = readOnnxModel(anchorLayout(writeOnnxModel(builder.buildModel()), stage))
  expect(anchored.graph.node.map(({ opType }) => opType).join(' ')).toBe(
    'AveragePool Conv Abs Add AveragePool Conv Relu Add Conv Relu Add Relu',
  )
})
