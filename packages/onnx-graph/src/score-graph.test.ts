import { type ClassScores, evaluateAnswerExpression, evaluateScoreExpression, type ScoreExpression } from '@sluice/core'
import { expect, it } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { createGraphBuilder } from './graph-builder.ts'
import { writeOnnxModel } from './onnx-model.ts'
import { createScoreAppender } from './score-graph.ts'
import { seededValues } from './testing/seeded-values.ts'

const [rows, classCount] = [6, 4]
const scores = { data: seededValues(rows * classCount, 3), rows, classCount }
const greatest: ScoreExpression = { operator: 'row-maximum', of: 'scores' }
const best = (
  left: ScoreExpression,
  operator: 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum',
  right: ScoreExpression,
) => ({ operator: 'row-sum', of: { operator, left, right } }) as const

const twoColumns = [
  [1, 5],
  [0.5, -1],
  [2, 0],
  [-1, 1],
]

const add = (left: ScoreExpression, right: ScoreExpression) => ({ operator: 'add', left, right }) as const

const expressions: { readonly name: string; readonly expression: ScoreExpression }[] = [
  { name: 'the greatest score', expression: greatest },
  { name: 'a sum over classes with a factor each', expression: best('scores', 'multiply', [1, -2, 3, 0.5]) },
  {
    name: 'scores in descending order',
    expression: best({ operator: 'descending', of: 'scores' }, 'multiply', [8, 4, 2, 1]),
  },
  { name: 'a column beside a matrix', expression: best(greatest, 'subtract', 'scores') },
  { name: 'a sum and a quotient', expression: best({ operator: 'add', left: 'scores', right: 7 }, 'divide', 2) },
  {
    name: 'the lesser and the greater',
    expression: best({ operator: 'minimum', left: 'scores', right: 0.1 }, 'maximum', -0.2),
  },
  {
    name: 'two sums over classes, one over the other',
    expression: {
      operator: 'divide',
      left: { operator: 'product', of: { operator: 'product', of: 'scores', matrix: twoColumns }, matrix: [[1], [0]] },
      right: { operator: 'add', left: { operator: 'product', of: 'scores', matrix: [[0], [0], [1], [0]] }, right: 4 },
    },
  },
  { name: 'a sum of three', expression: add(add(greatest, 2), best('scores', 'multiply', [1, 2, 0, 1])) },
  { name: 'a chance', expression: { operator: 'logistic', of: best('scores', 'multiply', 3) } },
  {
    name: 'log-probabilities, where exponentials would overflow',
    expression: best(
      { operator: 'log-softmax', of: best('scores', 'multiply', 100).of },
      'multiply',
      [0.01, 0, -0.02, 0],
    ),
  },
  { name: 'probabilities', expression: best({ operator: 'softmax', of: 'scores' }, 'multiply', [1, 0, -2, 0]) },
  {
    name: 'the answer, of equals the first',
    expression: best(
      { operator: 'row-answer', of: { operator: 'minimum', left: 'scores', right: 0.1 } },
      'multiply',
      [1, 2, 3, 4],
    ),
  },
  {
    name: 'logarithm and exponential',
    expression: { operator: 'logarithm', of: { operator: 'row-sum', of: { operator: 'exponential', of: 'scores' } } },
  },
]

it('computes once what expressions have in common', () => {
  const builder = createGraphBuilder({ name: 'score' })
  const append = createScoreAppender(builder, { own: 'scores', all: 'all', earlierCount: 1 }, classCount)
  const mix = () => ({ operator: 'add', left: { earlier: 1 }, right: [1, 2, 3, 4] }) as const
  const name = append(mix())
  const { length } = builder.buildGraph().node
  append({ operator: 'row-maximum', of: mix() })
  expect(append(mix())).toBe(name)
  expect(
    builder
      .buildGraph()
      .node.slice(length)
      .map(({ opType }) => opType),
  ).toEqual(['Constant', 'TopK'])
})

it('adds several terms in one node, in their order', () => {
  const builder = createGraphBuilder({ name: 'score' })
  const append = createScoreAppender(builder, { own: 'scores', all: 'scores', earlierCount: 0 }, classCount)
  append(add(add(add(greatest, 'scores'), 2), [1, 2, 3, 4]))
  const sums = builder.buildGraph().node.filter(({ opType }) => opType === 'Sum')
  expect(sums.map(({ opType, input }) => [opType, input.length, input.indexOf('scores')])).toEqual([['Sum', 4, 1]])
})

it.each(expressions)('$name is the same in an ONNX graph', async ({ expression }) => {
  for (const opset of [13, 17, 18]) {
    const builder = createGraphBuilder({ name: 'score', opset })
    const input = builder.input('scores', 'float32', ['rows', classCount])
    const append = createScoreAppender(builder, { own: input, all: input, earlierCount: 0 }, classCount)
    builder.output(append(expression), 'float32', ['rows', 1])
    const model = builder.buildModel()
    const results = await runOnnx(writeOnnxModel(model), { scores: { dims: [rows, classCount], data: scores.data } })
    const [result] = Object.values(results)
    expect(result?.dims).toEqual([rows, 1])
    const expected = evaluateScoreExpression(expression, scores)
    for (const [row, value] of expected.entries()) expect(result?.data[row]).toBeCloseTo(value, 5)
  }
})

/** A sum over three gates, said in all the ways that sums can be. */
function mixThree(classCount: number): ScoreExpression {
  const factors = Array.from({ length: classCount }, (_, c) => 0.5 + (c % 3))
  const nearest = { operator: 'multiply', left: factors, right: { earlier: 1 } } as const
  const furthest = { operator: 'divide', left: { earlier: 2 }, right: 4 } as const
  const difference = { operator: 'subtract', left: 'scores', right: add(nearest, 0.25) } as const
  return add(add(difference, furthest), factors)
}

it.each([
  { name: 'few classes, one product', count: 4, opTypes: ['Gemm'] },
  {
    name: 'many classes, a node for each term',
    count: 90,
    opTypes: ['Slice', 'Mul', 'Add', 'Sub', 'Slice', 'Div', 'Sum'],
  },
])('a sum over gates with $name is what it says', async ({ count, opTypes }) => {
  const gates = [1, 2, 3].map((seed) => ({ data: seededValues(rows * count, seed), rows, classCount: count }))
  const [furthest, nearest, own] = gates as [ClassScores, ClassScores, ClassScores]
  const builder = createGraphBuilder({ name: 'score' })
  const inputs = gates.map((_, gate) => builder.input(`gate ${gate}`, 'float32', ['rows', count]))
  const all = builder.node('Concat', inputs, { axis: 1 })
  const append = createScoreAppender(builder, { own: inputs[2] ?? '', all, earlierCount: 2 }, count)
  builder.output(append(mixThree(count)), 'float32', ['rows', count])
  const model = builder.buildModel()
  const used = model.graph.node.map(({ opType }) => opType).filter((opType) => opType !== 'Constant')
  expect(used.slice(1)).toEqual(opTypes)
  const feeds = gates.map(({ data }, gate) => [`gate ${gate}`, { data, dims: [rows, count] }] as const)
  const [result] = Object.values(await runOnnx(writeOnnxModel(model), Object.fromEntries(feeds)))
  const expected = evaluateAnswerExpression(mixThree(count), own, [furthest, nearest])
  for (const [index, value] of expected.data.entries()) expect(result?.data[index]).toBeCloseTo(value, 5)
})

it.each([0, -1, 1.5, 3])('an expression that looks %d gates back where there are two is refused', (distance) => {
  const builder = createGraphBuilder({ name: 'score' })
  const append = createScoreAppender(builder, { own: 'scores', all: 'all', earlierCount: 2 }, classCount)
  expect(() => append(add(add('scores', { earlier: distance }), { earlier: 2 }))).toThrow(/gates back/)
  expect(() => append({ operator: 'row-maximum', of: { earlier: distance } })).toThrow(/gates back/)
})
