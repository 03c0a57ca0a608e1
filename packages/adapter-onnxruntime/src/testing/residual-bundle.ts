import type { Bundle, StageDescription } from '@sluice/core'
import { addFeatures, createGraphBuilder, gateFeaturesName, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import type { StageFile } from '../stage-file.ts'

/** Shape of a sample at 16 channels. */
export const residualShape = [16, 6, 6]

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

/** Three stages of two residual blocks, each with class scores. */
export function createResidualStages(channels: number): StageFile[] {
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

/** A stage of 16 channels that yields pooled features, too, unless it is the last. */
export function yieldFeatures({ description, model }: StageFile, index: number): StageFile {
  if (description.output === null) return { description, model }
  const features = { output: gateFeaturesName(index), width: 16 }
  const yielding = addFeatures(readOnnxModel(model), description.output, index)
  return { description: { ...description, features }, model: writeOnnxModel(yielding) }
}

/** The stages, of 16 channels, as a bundle. */
export function createResidualBundle(stages: readonly StageFile[]): Bundle {
  return {
    manifest: {
      specVersion: 'v1',
      format: 'onnx',
      name: 'residual',
      input: { name: 'x', dataType: 'float32', shape: residualShape, layout: 'NCHW', resize: null, mean: [], std: [] },
      classes: Array.from({ length: 16 }, (_, index) => `class ${index}`),
      macs: 3,
      stages: stages.map(({ description }) => description),
      gates: [],
      calibration: null,
      files: {},
    },
    read: async (path) => findStage(stages, path).model,
  }
}

function findStage(stages: readonly StageFile[], path: string): StageFile {
  const stage = stages.find(({ description }) => description.file === path)
  if (stage === undefined) throw new RangeError(`no stage ${path}`)
  return stage
}
