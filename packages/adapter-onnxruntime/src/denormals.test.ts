import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, test } from 'vitest'
import { createOnnxEngine } from './node.ts'

// Alone in its file, and so in its process: the process's first session decides for the calling thread.
test('denormal numbers count as zero where that is asked for', async () => {
  const builder = createGraphBuilder({ name: 'double' })
  const x = builder.input('x', 'float32', [2])
  builder.node('Add', [x, x], {}, 'y')
  builder.output('y', 'float32', [2])
  const model = writeOnnxModel(builder.buildModel())

  const session = await createOnnxEngine({ threads: 1, denormalsAsZero: true }).createSession(model)
  const { y } = await session.run({ x: { type: 'float32', dims: [2], data: Float32Array.of(1e-40, 1) } })
  await session.release()
  expect(y?.data).toEqual(Float32Array.of(0, 2))
})
