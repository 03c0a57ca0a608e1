import type { Bundle, StageDescription } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { addFeatures, createGraphBuilder, gateFeaturesName, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { keepBlockedLayout } from './blocked-layout.ts'
import { createOnnxRuntimeBackend } from './node.ts'
import { createSessionFactory } from './session-factory.ts'

const shape = [16, 6, 6]

/** Two residual blocks `relu(conv(x) + x)`, and scores from the mean of each channel. */
function createStage(index: number, input: string, output: string | null, channels: number): Uint8Array {
  const builder = createGraphBuilder({ name: `stage-${index}` })
  const dims = ['rows', channels, 6, 6]
  let x = builder.input(input, 'float32', dims)
  for (const block of [0, 1]) {
    const data = Float32Array.from({ length: channels * channels * 9 }, (_, i) => Math.sin(i + index + block) / 12)
    const weights = builder.initializer(`w${block}`, { type: 'float32', dims: [channels, channels, 3, 3], data })
    const convolution = builder.node('Conv', [x, weights], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
    const isOutput = block === 1 && output !== null
    x = builder.node('Relu', [builder.node('Add', [convolution, x])], {}, isOutput ? output : undefined)
  }
  if (output !== null) builder.output(output, 'float32', dims)
  builder.node('Flatten', [builder.node('GlobalAveragePool', [x])], {}, `scores-${index}`)
  builder.output(`scores-${index}`, 'float32', ['rows', channels])
  return writeOnnxModel(builder.buildModel())
}

function createStages(channels: number) {
  return ['a', 'b', null].map((output, index, outputs) => {
    const input = outputs[index - 1] ?? 'x'
    const description: StageDescription = {
      file: `stage-${index}.onnx`,
      macs: { backbone: 1, head: 1 },
      input,
      output,
      outputShape: output === null ? null : [channels, 6, 6],
      scores: `scores-${index}`,
    }
    return { description, model: createStage(index, input, output, channels) }
  })
}

async function prepare(channels: number): Promise<string[][]> {
  const sessions = await createSessionFactory({
    name: 'onnxruntime-node (cpu)',
    packageName: 'onnxruntime-node',
    loadRuntime: async () => ort,
    sessionOptions: { logSeverityLevel: 3 },
    providerHint: '',
  })
  const prepared = await keepBlockedLayout(createStages(channels), sessions)
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

function yieldFeatures({ description, model }: ReturnType<typeof createStages>[number], index: number) {
  if (description.output === null) return { description, model }
  const features = { output: gateFeaturesName(index), width: 16 }
  const yielding = addFeatures(readOnnxModel(model), description.output, index)
  return { description: { ...description, features }, model: writeOnnxModel(yielding) }
}

test('answers and pooled features equal those of an engine that rewrites nothing, also for selected rows', async () => {
  const stages = createStages(16).map(yieldFeatures)
  const bundle: Bundle = {
    manifest: {
      specVersion: 'v1',
      format: 'onnx',
      name: 'residual',
      input: { name: 'x', dataType: 'float32', shape, layout: 'NCHW', resize: null, mean: [], std: [] },
      classes: Array.from({ length: 16 }, (_, index) => `class ${index}`),
      macs: 3,
      stages: stages.map(({ description }) => description),
      gates: [],
      calibration: null,
      files: {},
    },
    read: async (path) => (stages.find(({ description }) => description.file === path) ?? expect.unreachable()).model,
  }
  const answers: Float32Array[] = []
  const features: Float32Array[] = []
  for (const graphOptimizationLevel of ['all', 'disabled'] as const) {
    const backend = createOnnxRuntimeBackend({ threads: 1, sessionOptions: { graphOptimizationLevel } })
    const model = await backend.load(bundle)
    let activation = await model.upload(createRandomBatch(1, 5, shape))
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
