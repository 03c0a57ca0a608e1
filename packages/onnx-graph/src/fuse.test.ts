import {
  type ClassScores,
  countElements,
  evaluateAnswerExpression,
  evaluateScoreExpression,
  type PolicyExpression,
  type ScoreExpression,
} from '@sluice/core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { findCuts, selectGateCuts } from './cuts.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { type FusedStage, fusedOutputs, fuseStages, thresholdName } from './fuse.ts'
import type { GraphProto, ValueInfoProto } from './generated/onnx_pb.ts'
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

/** What each row gets from the stages one after another: the answer of the first gate that lets it go, or of the end. */
async function answerByStages(
  stages: readonly FusedStage[],
  { gates, end }: PolicyExpression,
  input: { readonly dims: readonly number[]; readonly data: Float32Array },
) {
  const rows = input.dims[0] as number
  const answers = Array.from({ length: rows }, () => ({ exit: -1, scores: [] as number[] }))
  let activation = input
  let before: typeof input | undefined
  const standing: ClassScores[] = []
  for (const [index, stage] of stages.entries()) {
    const outputs: Awaited<ReturnType<typeof runOnnx>> = await runOnnx(writeOnnxModel(stage.model), {
      [stage.input]: activation,
      ...(stage.scoresInput !== undefined && before !== undefined ? { [stage.scoresInput]: before } : {}),
    })
    const scores = outputs[stage.scores]
    if (scores === undefined) throw new Error('The stage yields no scores.')
    if (stage.output !== null) activation = outputs[stage.output] as typeof activation
    before = scores
    const gate = index < gates.length ? (gates[index] ?? null) : { score: 0, threshold: 0, answer: end }
    if (gate === null) continue
    const classCount = scores.data.length / rows
    const own = { data: scores.data, rows, classCount }
    const values = evaluateScoreExpression(gate.score, own, standing)
    const given = evaluateAnswerExpression(gate.answer ?? 'scores', own, standing)
    for (const [row, answer] of answers.entries()) {
      if (answer.exit >= 0 || (values[row] as number) < gate.threshold) continue
      answer.exit = index
      answer.scores = Array.from(given.data.subarray(row * classCount, (row + 1) * classCount))
    }
    standing.push(own)
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

/**
 * For each gate a threshold that about half of all rows reach, half way between two of them, so that rounding decides
 * nothing. @param gates that score by the greatest number that they answer with
 */
async function chooseThresholds(
  stages: readonly FusedStage[],
  input: Parameters<typeof run>[1],
  gates: PolicyExpression['gates'] = stages.slice(1).map(() => ({ score, threshold: 0 })),
): Promise<number[]> {
  const thresholds: number[] = []
  for (const index of gates.keys()) {
    const single = gates.map((gate, other) => gate && { ...gate, threshold: other === index ? -Infinity : Infinity })
    const values = (await answerByStages(stages, { gates: single }, input))
      .map(({ scores }) => Math.max(...scores))
      .sort((a, b) => a - b)
    const [below = 0, above = 0] = values.slice(values.length / 2 - 1)
    thresholds.push((below + above) / 2)
  }
  return thresholds
}

/** The gate's class scores and parts of those of gates in front. */
function mix(...distances: readonly number[]): ScoreExpression {
  return distances.reduce<ScoreExpression>((sum, earlier) => {
    const part = { operator: 'multiply', left: { earlier }, right: 0.25 + 0.5 * earlier } as const
    return { operator: 'add', left: sum, right: part }
  }, 'scores')
}

/** A gate that looks at a mix, and answers with it. */
function mixingGate(...distances: readonly number[]) {
  const answer = mix(...distances)
  return { score: { operator: 'row-maximum', of: answer } as const, threshold: 0, answer }
}

/** Fails unless the fused network answers as its stages do, for several batch sizes. */
async function expectSameAnswers(
  stages: readonly FusedStage[],
  policy: PolicyExpression,
  classCount: number,
  inputOf: (rows: number) => Parameters<typeof run>[1],
): Promise<void> {
  const fused = fuseStages(stages, policy, classCount)
  for (const rows of [1, 7, 16]) {
    const expected = await answerByStages(stages, policy, inputOf(rows))
    const { exits, scores } = await run(fused, inputOf(rows))
    expect(exits).toEqual(expected.map(({ exit }) => exit))
    const data = Float32Array.from(expected.flatMap((row) => row.scores))
    expectClose(scores, { dims: [rows, classCount], data })
  }
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
          await expectSameAnswers(stages, { gates }, classCount, inputOf)
        }
      },
    )

    test.each([
      ['all gates stand', [mixingGate(), mixingGate(1), mixingGate(2)], [3, 1], false],
      ['all gates stand in cascade', [mixingGate(), mixingGate(1), mixingGate(2)], [3, 1], true],
      ['the second gate is off', [mixingGate(), null, mixingGate(1)], [2], true],
      ['the first gate is off', [null, mixingGate(), mixingGate(1)], [1, 2], false],
      ['the last gate is off', [mixingGate(), mixingGate(1), null], [2, 1], true],
      ['the first gate stands alone', [mixingGate(), null, null], [1], false],
      ['every gate is off', [null, null, null], [], true],
    ])(
      'that looks back and answers with what it sees, is as its stages are where %s',
      async (_, all, seenAtEnd, cascade) => {
        const stages = createStages(network, { cascade })
        const gates = all.slice(0, stages.length - 1)
        const standing = gates.filter((gate) => gate !== null).length
        const end = mix(...seenAtEnd.filter((distance) => distance <= standing))
        const medians = await chooseThresholds(stages, inputOf(16), gates)
        const choices = cascade ? [medians] : [medians, medians.map(() => Infinity), medians.map(() => -Infinity)]
        for (const thresholds of choices) {
          const set = gates.map((gate, index) => gate && { ...gate, threshold: thresholds[index] ?? 0 })
          await expectSameAnswers(stages, { gates: set, end }, classCount, inputOf)
        }
      },
    )
  },
)

test('thresholds of gates that stand are inputs with a default, and round up so that a score that reaches one still does', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const gates = stages.slice(1).map((_, gate) => (gate === 1 ? null : { score, threshold: 0.1 }))
  const fused = fuseStages(stages, { gates }, 3)
  const written = readOnnxModel(writeOnnxModel(fused)).graph
  expect(written.input.map(({ name }) => name)).toEqual(['input', thresholdName(0), thresholdName(2)])
  const stored = written.initializer.find(({ name }) => name === thresholdName(0))?.rawData
  const value = stored && new DataView(stored.buffer, stored.byteOffset).getFloat32(0, true)
  expect(value).toBe(Math.fround(0.1))
  expect(value).toBeGreaterThanOrEqual(0.1)
})

test('class scores are gathered along only where a gate behind looks back', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const countGathered = (policy: PolicyExpression) => countNodes(fuseStages(stages, policy, 3).graph, 'GatherND')
  const alone = [mixingGate(), mixingGate(), mixingGate()]
  expect(countGathered({ gates: alone })).toBe(3)
  expect(countGathered({ gates: alone.with(1, mixingGate(1)) })).toBe(4)
  expect(countGathered({ gates: alone.with(2, mixingGate(1)) })).toBe(5)
  expect(countGathered({ gates: alone, end: mix(3) })).toBe(6)
  expect(() => fuseStages(stages, { gates: alone.with(1, mixingGate(2)) }, 3)).toThrow(/looks 2 gates back/)
})

test('rows leave at the numbers of the stages, whichever these are', async () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const dims = [16, ...network.inputShape]
  const input = { dims, data: seededValues(countElements(dims), 5) }
  const [first = 0, second = 0] = await chooseThresholds(stages, input)
  const gates = [{ score, threshold: first }, { score, threshold: second }, null]
  const policy = { gates }
  const usual = await run(fuseStages(stages, policy, 3), input)
  const renumbered = stages.map((stage, position) => ({ ...stage, index: 2 * position + 1 }))
  const { exits } = await run(fuseStages(renumbered, policy, 3), input)
  expect(new Set(usual.exits).size).toBeGreaterThan(1)
  expect(exits).toEqual(usual.exits.map((exit) => 2 * exit + 1))
})

test('what is gathered declares its size, with a name of its own for the rows that reach a stage', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const gates = [mixingGate(), null, mixingGate(1)]
  const declared = listDeclared(fuseStages(stages, { gates }, 3).graph)
  const shapes = declared.map((info) => declaredShape(info))
  expect(shapes).toEqual([
    ['stage_1/rows', 4, 8, 8],
    ['stage_1/rows', 3],
    ['stage_3/rows', 4, 8, 8],
  ])
})

function listDeclared(graph: GraphProto): ValueInfoProto[] {
  const nested = graph.node.flatMap(({ attribute }) => attribute.flatMap(({ g }) => (g ? listDeclared(g) : [])))
  return [...graph.valueInfo, ...nested]
}

function countNodes(graph: GraphProto, opType: string): number {
  return graph.node.reduce((sum, node) => {
    const nested = node.attribute.flatMap(({ g }) => (g === undefined ? [] : [countNodes(g, opType)]))
    return nested.reduce((total, count) => total + count, sum + (node.opType === opType ? 1 : 0))
  }, 0)
}

test('what cannot be fused is refused with a way out', () => {
  const [network] = createTestNetworks()
  if (network === undefined) throw new Error('There are no test networks.')
  const stages = createStages(network)
  const gates = stages.slice(1).map(() => ({ score, threshold: 1 }))
  expect(() => fuseStages(stages, { gates: gates.slice(1) }, 3)).toThrow(/4 stages need 3 gates, not 2/)
  const old = stages.map((stage) => ({ ...stage, model: { ...stage.model, opset: 12 } }))
  expect(() => fuseStages(old, { gates }, 3)).toThrow(/opset_version=13/)
  const [first, ...others] = stages
  const graph = replaceGraphParts(first?.model as OnnxModel, {})
  expect(() =>
    fuseStages([{ ...(first as FusedStage), model: graph, input: 'exit' }, ...others], { gates }, 3),
  ).toThrow(/'exit'/)
})
