import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, test } from 'vitest'
import { EngineMissingError } from './errors.ts'
import { createSessionFactory } from './session-factory.ts'

test('an engine that is not installed is named, with the command that installs it', async () => {
  const failure = createSessionFactory({
    name: 'onnxruntime-node (cpu)',
    packageName: 'onnxruntime-node',
    loadRuntime: () => Promise.reject(new Error("Cannot find package 'onnxruntime-node'")),
    sessionOptions: {},
    providerHint: '',
  })
  await expect(failure).rejects.toBeInstanceOf(EngineMissingError)
  await expect(failure).rejects.toThrow("Install it with 'npm install onnxruntime-node'")
})

test('calls into one engine follow each other, also after a failure', async () => {
  const { exclusively, create, run } = await createSessionFactory({
    name: 'onnxruntime-node (cpu)',
    packageName: 'onnxruntime-node',
    loadRuntime: () => import('onnxruntime-node'),
    sessionOptions: {},
    providerHint: '',
  })
  const order: string[] = []
  const slow = exclusively(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    order.push('slow')
    throw new Error('failed')
  })
  const fast = exclusively(async () => order.push('fast'))
  await expect(slow).rejects.toThrow('failed')
  await fast
  expect(order).toEqual(['slow', 'fast'])

  const builder = createGraphBuilder({ name: 'identity' })
  builder.node('Identity', [builder.input('x', 'float32', [1])], {}, 'y')
  builder.output('y', 'float32', [1])
  const session = await create(writeOnnxModel(builder.buildModel()), 'Loading')
  await expect(run(session, 'Running', {})).rejects.toThrow(/^Running failed in ONNX Runtime: input 'x' is missing/)
  await session.release()
})
