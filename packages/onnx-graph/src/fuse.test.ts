import { countElements, evaluateScoreExpression, type GateExpression, type ScoreExpression } from '@sluice/core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { findCuts, selectGateCuts } from './cuts.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { type FusedStage, fusedOutputs, fuseStages, thresholdName } from './fuse.ts'
import { addHead, gateScoresName, scoresInputName } from './head-graph.ts'
import { declaredShape } from './input-shapes.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { countPooledFeatures } from './pooling.ts'
import { splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks, type TestNetwork } from './testing/test-networks.ts'

const pooling = { size: 1, kind: 'average' } as const
const score: ScoreExpression = { operator: 'row-maximum', of: 'scores' }

/** Scores that the network's first output has in a row. */
function countClasses({ model }: TestNetwork): number {
  const [output] = model.graph.output
  return Number((output && declaredShape(output))?.at(-1))
}

/** The network in stages with a linear gate at up to three cuts; in a cascade, each but the first takes the scores before. */
function createStages(network: TestNetwork, { cascade = false } = {}): FusedStage[] {
  const { model } = network
  const classCount = countClasses(network)
  const output = model.graph.output[0]?.name ?? ''
  const cuts = selectGateCuts(findCuts(model, { outputs: [output] })).slice(0, 3)
  const tensors = cuts.map(({ tensor }) => tensor)
  return splitIntoStages(model, tensors, { outputs: [output] }).map((stage, index) => {
    const cut = cuts[index]
    if (cut === undefined) return { index, model: stage.model, input: stage.input, output: null, scores: output }
    const takesScores = cascade && index > 0
    const inputs = countPooledFeatures(cut.shape, pooling) + (takesScores ? classCount : 0)
    const weights = seededValues(classCount * inputs, index + 1)
    const layer = {
      inputs,
      outputs: classCount,
      activation: 'none',
      weights,
      bias: new Float32Array(classCount),
    } as const
    const head = { pooling, layers: [layer], takesScores }
    const gated = addHead(stage.model, cut.tensor, head, index)
    const names = { input: stage.input, output: cut.tensor, scores: gateScoresName(index) }
    return { index, model: gated, ...names, scoresInput: scoresInputName(head, index) }
  })
}

/** What each row gets from the stages one after another: the scores of the first gate that it passes, or of the end. */
async function answerByStages(
  stages: readonly FusedStage[],
  gates: readonly GateExpression[],
  input: { readonly dims: readonly number[]; readonly data: Float32Array },
) {
  const rows = input.dims[0] as number
  const answers = Array.from({ length: rows }, () => ({ exit: -1, scores: [] as number[] }))
  let activation = input
  let earlier: typeof input | undefined
  for (const [index, stage] of stages.entries()) {
    const outputs: Awaited<ReturnType<typeof runOnnx>> = await runOnnx(writeOnnxModel(stage.model), {
      [stage.input]: activation,
      ...(stage.scoresInput !== undefined && earlier !== undefined ? { [stage.scoresInput]: earlier } : {}),
    })
    const scores = outputs[stage.scores]
    if (scores === undefined) throw new Error('The stage yields no scores.')
    const classCount = scores.data.length / rows
    const gate = gates[index]
    const values = gate && evaluateScoreExpression(gate.score, { data: scores.data, rows, classCount })
    for (const [row, answer] of answers.entries()) {
      const leaves = values === undefined || (values[row] as number) >= (gate?.threshold as number)
      if (answer.exit >= 0 || !leaves) continue
      answer.exit = index
      answer.scores = Array.from(scores.data.subarray(row * classCount, (row + 1) * classCount))
    }
    if (stage.output !== null) activation = outputs[stage.output] as typeof activation
    earlier = scores
  }
  return answers
}

async function run(model: OnnxModel, input: { readonly dims: readonly number[]; readonly data: Float32Array }) {
  const session = await InferenceSession.create(writeOnnxModel(model), {
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  })
  try {
    const results = await session.run({ input: new Tensor('float32', input.data, input.dims) })
    const exits = Array.from(results[fusedOutputs.exit]?.data as BigInt64Array, Number)
    const { data, dims } = results[fusedOutputs.scores] as Tensor
    return { exits, scores: { data: data as Float32Array, dims } }
  } finally {
    await session.release()
  }
}

/** The median of the gate's scores among the rows that reach it, so that about half of them leave. */
async function chooseThresholds(stages: readonly FusedStage[], input: Parameters<typeof run>[1]): Promise<number[]> {
  const never = stages.slice(1).map(() => ({ score, threshold: Number.POSITIVE_INFINITY }))
  const thresholds: number[] = []
  for (const index of never.keys()) {
    const gates = never.map((gate, other) =>
      other === index ? { ...gate, threshold: Number.NEGATIVE_INFINITY } : gate,
    )
    const values = (await answerByStages(stages, gates, input))
      .map(({ scores }) => Math.max(...scores))
      .sort((a, b) => a - b)
    thresholds.push(values[Math.floor(values.length / 2)] as number)
  }
  return thresholds
}

describe.each(createTestNetworks().map((network) => ({ ...network, network })))(
  'fused, the network "$name"',
  ({ network }) => {
    const classCount = countClasses(network)
    const inputOf = (rows: number) => {
      const dims = [rows, ...network.inputShape]
      return { dims, data: seededValues(countElements(dims), 5) }
    }

    test.each([
      ['heads of their own', false],
      ['heads in cascade', true],
    ])(
      'with %s answers as its stages do, one after another, in batches of which some, all or no rows leave at a gate',
      async (_, cascade) => {
        const stages = createStages(network, { cascade })
        const medians = await chooseThresholds(stages, inputOf(16))
        const [first = 0] = medians
        const choices = [
          medians,
          // Nothing of the cascade differs where all or no rows leave.
          ...(cascade ? [] : [medians.map(() => Infinity), medians.map(() => -Infinity)]),
          medians.map((_, i) => (i === 0 ? first : Infinity)),
        ]
        for (const thresholds of choices) {
          const gates = thresholds.map((threshold) => ({ score, threshold }))
          const fused = fuseStages(stages, gates, classCount)
          for (const rows of [1, 7, 16]) {
            const expected = await answerByStages(stages, gates, inputOf(rows))
            const { exits, scores } = await run(fused, inputOf(rows))
            expect(exits).toEqual(expected.map(({ exit }) => exit))
            expect(scores.dims).toEqual([rows, classCount])
            expectClose(scores, {
              dims: [rows, classCount],
              data: Float32Array.from(expected.flatMap((row) => row.scores)),
            })
          }
        }
      },
    )
  },
)

test('thresholds are inputs with a default, and round up so that a score that reaches one still does', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const fused = fuseStages(
    stages,
    stages.slice(1).map(() => ({ score, threshold: 0.1 })),
    3,
  )
  const written = readOnnxModel(writeOnnxModel(fused)).graph
  expect(written.input.map(({ name }) => name)).toEqual(['input', thresholdName(0), thresholdName(1), thresholdName(2)])
  const stored = written.initializer.find(({ name }) => name === thresholdName(0))?.rawData
  const value = stored && new DataView(stored.buffer, stored.byteOffset).getFloat32(0, true)
  expect(value).toBe(Math.fround(0.1))
  expect(value).toBeGreaterThanOrEqual(0.1)
})

test('what cannot be fused is refused with a way out', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const gates = stages.slice(1).map(() => ({ score, threshold: 1 }))
  expect(() => fuseStages(stages, gates.slice(1), 3)).toThrow(/4 stages need 3 gates, not 2/)
  const old = stages.map((stage) => ({ ...stage, model: { ...stage.model, opset: 12 } }))
  expect(() => fuseStages(old, gates, 3)).toThrow(/opset_version=13/)
  const [first, ...others] = stages
  const graph = replaceGraphParts(first?.model as OnnxModel, {})
  expect(() => fuseStages([{ ...(first as FusedStage), model: graph, input: 'exit' }, ...others], gates, 3)).toThrow(
    /'exit'/,
  )
})
