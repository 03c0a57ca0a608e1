import { ShapeMismatchError } from '@sluice/core'
import {
  type AnalyzeModelOptions,
  addFeatures,
  addFeatureTaps,
  addHead,
  addLayoutHints,
  analyzeModel,
  countPooledFeatures,
  type FeatureTap,
  type FeatureTapOutput,
  findCuts,
  gateFeaturePooling,
  gateFeaturesName,
  gateScoresName,
  inlineExternalData,
  type NamedTensors,
  type OnnxEngine,
  type OnnxModel,
  scoresInputName,
  splitIntoStages,
  writeOnnxModel,
} from '@sluice/onnx-graph'
import type { TappedAnswer } from '@sluice/training'
import type { FrozenNetwork, PlacedHead, SplitNetwork, StagePlace } from './frozen-network.ts'

/**
 * An ONNX model as a network for gates: a pass runs one graph with the pooling built in, and a stage is a file of its own
 * that holds its head.
 *
 * @param engine runs the passes
 * @throws UnknownOperatorError, UnsupportedGraphError and InvalidArgumentError for a model that cannot be analysed; asking
 * for the cuts throws an UnsupportedGraphError for a model of several inputs
 */
export function createOnnxNetwork(
  model: OnnxModel,
  engine: OnnxEngine,
  options: AnalyzeModelOptions = {},
): FrozenNetwork {
  const analysis = analyzeModel(model, options)
  const output = analysis.outputs[0]?.name ?? ''
  return {
    ...analysis,
    format: 'onnx',
    layout: null,
    get cuts() {
      return findCuts(model, options)
    },
    async openPass(taps) {
      const tapped = addTaps(model, taps, options)
      const session = await engine.createSession(writeOnnxModel(tapped.model))
      const [input = ''] = session.inputNames
      return {
        run: async (images) => readAnswer(await session.run({ [input]: images }), output, tapped.outputs),
        close: () => session.release(),
      }
    },
    splitAtHeads: async (heads) => splitAtHeads(model, output, heads),
  }
}

/** With taps it is run for its features alone, as fast as the processor allows. */
function addTaps(
  model: OnnxModel,
  taps: readonly FeatureTap[],
  options: AnalyzeModelOptions,
): ReturnType<typeof addFeatureTaps> {
  if (taps.length === 0) return { model, outputs: [] }
  const { model: tapped, outputs } = addFeatureTaps(model, taps, options)
  return { model: addLayoutHints(tapped), outputs }
}

function readAnswer(results: NamedTensors, output: string, taps: readonly FeatureTapOutput[]): TappedAnswer {
  const scores = results[output]
  const [rows, classCount, ...others] = scores?.dims ?? []
  if (scores?.type !== 'float32' || rows === undefined || classCount === undefined || others.length > 0) {
    throw new ShapeMismatchError(`The network's output '${output}'`, scores?.dims ?? [], ['rows', 'classes'])
  }
  return {
    scores: { data: scores.data as Float32Array, rows, classCount },
    features: new Map(taps.map(({ tensor, name }) => [tensor, results[name]?.data as Float32Array])),
  }
}

function splitAtHeads(model: OnnxModel, output: string, heads: readonly PlacedHead[]): SplitNetwork {
  const split = splitIntoStages(
    model,
    heads.map(({ cut }) => cut.tensor),
  )
  const files: Record<string, Uint8Array> = {}
  const stages = split.map((stage, index) => {
    const placed = heads[index]
    const file = `stage-${index}.onnx`
    const gated = placed === undefined ? stage.model : addGate(stage.model, placed, index)
    files[file] = writeOnnxModel(inlineExternalData(gated))
    const scores = placed === undefined ? output : gateScoresName(index)
    const scoresInput = placed && scoresInputName(placed.head, index)
    const features = placed?.yieldsFeatures ? describeFeatures(placed, index) : undefined
    return { file, input: stage.input, output: stage.output, scores, scoresInput, features }
  })
  return { files, stages }
}

function addGate(stage: OnnxModel, { cut, head, yieldsFeatures }: PlacedHead, index: number): OnnxModel {
  const withHead = addHead(stage, cut.tensor, head, index)
  return yieldsFeatures ? addFeatures(withHead, cut.tensor, index) : withHead
}

function describeFeatures({ cut }: PlacedHead, index: number): StagePlace['features'] {
  return { output: gateFeaturesName(index), width: countPooledFeatures(cut.shape, gateFeaturePooling) }
}
