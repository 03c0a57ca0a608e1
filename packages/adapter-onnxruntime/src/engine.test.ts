import { DisposedError, InvalidArgumentError, type Tensor } from '@sluice/core'
import { createGraphBuilder, type OnnxSession, writeOnnxModel } from '@sluice/onnx-graph'
import { describe, expect, test } from 'vitest'
import { ExecutionProviderError, OnnxRuntimeError } from './errors.ts'
import { createOnnxEngine as createNodeEngine } from './node.ts'
import { createOnnxEngine as createWebEngine } from './web.ts'

/** `less = x < 0`, `doubled = x + x`, `shape = Shape(x)`. */
function createModel(): Uint8Array {
  const builder = createGraphBuilder({ name: 'types' })
  const x = builder.input('x', 'float32', ['rows', 2])
  const zero = builder.initializer('zero', { type: 'float32', dims: [], data: new Float32Array(1) })
  builder.node('Less', [x, zero], {}, 'less')
  builder.node('Add', [x, x], {}, 'doubled')
  builder.node('Shape', [x], {}, 'shape')
  builder.output('less', 'bool', ['rows', 2])
  builder.output('doubled', 'float32', ['rows', 2])
  builder.output('shape', 'int64', [2])
  return writeOnnxModel(builder.buildModel())
}

const x: Tensor = { type: 'float32', dims: [2, 2], data: Float32Array.of(-1, 2, 3, -4) }

describe.each([
  ['onnxruntime-node', createNodeEngine({ threads: 1 })],
  ['onnxruntime-web', createWebEngine({ threads: 1 })],
])('the engine over %s', (_, engine) => {
  const withSession = async (model: Uint8Array, use: (session: OnnxSession) => Promise<void>) => {
    const session = await engine.createSession(model)
    try {
      await use(session)
    } finally {
      await session.release()
    }
  }

  test('knows the names of inputs and outputs', () =>
    withSession(createModel(), async ({ inputNames, outputNames }) => {
      expect([inputNames, outputNames]).toEqual([['x'], ['less', 'doubled', 'shape']])
    }))

  test('carries floats, booleans and 64-bit integers', () =>
    withSession(createModel(), async (session) => {
      expect(await session.run({ x })).toEqual({
        less: { type: 'bool', dims: [2, 2], data: Uint8Array.of(1, 0, 0, 1) },
        doubled: { type: 'float32', dims: [2, 2], data: Float32Array.of(-2, 4, 6, -8) },
        shape: { type: 'int64', dims: [2], data: BigInt64Array.of(2n, 2n) },
      })
    }))

  test('results stay as they are during later runs', () =>
    withSession(createModel(), async (session) => {
      const { doubled } = await session.run({ x })
      await session.run({ x: { ...x, data: new Float32Array(4) } })
      expect(doubled?.data).toEqual(Float32Array.of(-2, 4, 6, -8))
    }))

  test('refuses feeds that are missing, unknown or of another shape', () =>
    withSession(createModel(), async (session) => {
      await expect(session.run({})).rejects.toBeInstanceOf(InvalidArgumentError)
      await expect(session.run({ x, y: x })).rejects.toThrow('The feeds are [x, y]; the model takes [x].')
      const wide: Tensor = { ...x, dims: [1, 4] }
      await expect(session.run({ x: wide })).rejects.toBeInstanceOf(OnnxRuntimeError)
    }))

  test('refuses runs after release, and is released twice at no harm', async () => {
    const session = await engine.createSession(createModel())
    await session.release()
    await session.release()
    await expect(session.run({ x })).rejects.toBeInstanceOf(DisposedError)
  })

  test('a truncated model is one clear error', async () => {
    const failure = engine.createSession(createModel().subarray(0, 40))
    await expect(failure).rejects.toBeInstanceOf(OnnxRuntimeError)
    await expect(failure).rejects.toThrow(/^Loading the model failed in ONNX Runtime: .*Check that the file is a whole/)
  })
})

test('an execution provider that does not start is named, with what to do', async () => {
  const failure = createWebEngine({ executionProviders: ['webgpu'] }).createSession(createModel())
  await expect(failure).rejects.toBeInstanceOf(ExecutionProviderError)
  await expect(failure).rejects.toThrow(/^onnxruntime-web \(webgpu\) does not start: .* otherwise use 'wasm'\.$/)
})
