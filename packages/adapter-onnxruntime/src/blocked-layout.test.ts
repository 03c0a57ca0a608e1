import { createRandomBatch } from '@sluice/core/reference'
import { readOnnxModel } from '@sluice/onnx-graph'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { keepBlockedLayout } from './blocked-layout.ts'
import { createOnnxRuntimeBackend } from './node.ts'
import { createSessionFactory } from './session-factory.ts'
import { createResidualBundle, createResidualStages, residualShape, yieldFeatures } from './testing/residual-bundle.ts'

async function prepare(channels: number): Promise<string[][]> {
  const sessions = await createSessionFactory({
    name: 'onnxruntime-node (cpu)',
    packageName: 'onnxruntime-node',
    loadRuntime: async () => ort,
    sessionOptions: { logSeverityLevel: 3 },
    providerHint: '',
  })
  const prepared = await keepBlockedLayout(createResidualStages(channels), sessions)
  return prepared.map(({ model }) => readOnnxModel(model).graph.node.map(({ opType }) => opType))
}

describe.skipIf(process.arch !== 'x64')('stages prepared for the blocked layout of x64 processors', () => {
  test('hand over activations without a change of layout, every addition inside a convolution', async () => {
    const [first, second, third] = await prepare(16)
    expect(first?.slice(0, 2)).toEqual(['ReorderInput', 'AveragePool'])
    for (const operators of [second, third]) {
      expect(operators?.slice(0, 3)).toEqual(['Conv', 'Conv', 'GlobalAveragePool'])
      expect(operators).not.toContain('ReorderInput')
    }
  })

  test('keep the layout changes where the channels do not fill the blocks', async () => {
    const [, second] = await prepare(24)
    // Blocks of 16 channels take no pooling of 24, blocks of 8 do; either way the input arrives unblocked.
    expect(['AveragePool', 'ReorderInput']).toContain(second?.[0])
  })
})

test('answers and pooled features equal those of an engine that rewrites nothing, also for selected rows', async () => {
  const stages = createResidualStages(16).map(yieldFeatures)
  const bundle = createResidualBundle(stages)
  const answers: Float32Array[] = []
  const features: Float32Array[] = []
  for (const graphOptimizationLevel of ['all', 'disabled'] as const) {
    const backend = createOnnxRuntimeBackend({ threads: 1, sessionOptions: { graphOptimizationLevel } })
    const model = await backend.load(bundle)
    let activation = await model.upload(createRandomBatch(1, 5, residualShape))
    for (const index of stages.keys()) {
      const result = await model.runStage(index, activation)
      answers.push((await result.scores.read()).data)
      if (result.features) features.push((await result.features.read()).data)
      if (result.activation)
        activation = await model.selectRows(result.activation, Uint32Array.of(3, 0, 1).slice(index))
    }
    await model.dispose()
  }
  const blocked = [...answers.slice(0, 3), ...features.slice(0, 2)]
  const plain = [...answers.slice(3), ...features.slice(2)]
  expect(blocked.map(({ length }) => length)).toEqual([5 * 16, 3 * 16, 2 * 16, 5 * 16, 3 * 16])
  for (const [stage, values] of blocked.entries()) {
    values.forEach((value, i) => {
      expect(Math.abs(value - (plain[stage]?.[i] as number))).toBeLessThan(1e-5)
    })
  }
})
