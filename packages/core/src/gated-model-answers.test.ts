import { expect, it } from 'vitest'
import type { ClassScores } from './class-scores.ts'
import { NonFiniteValueError, PolicyContractError } from './errors.ts'
import type { ExitPolicy } from './exit-policy.ts'
import type { ExitScore } from './exit-score.ts'
import { createFlopCounter } from './flop-counter.ts'
import { createGatedModel } from './gated-model.ts'
import { computeReferenceScores, createScriptedPolicy } from './reference.ts'
import { createExample, getRow } from './testing/gated-example.ts'

it('answers with the scores that the policy gives, and refuses them in another shape or not finite', async () => {
  const { model, batch } = await createExample()
  const scripted = createScriptedPolicy([1, 0, 2, 1])
  const answerWith = (data: Float32Array): ExitPolicy => ({
    ...scripted,
    decide(observation, state: null) {
      const { rows, classCount } = observation.scores
      const scores = { data: data.subarray(0, rows * classCount), rows, classCount }
      return { ...scripted.decide(observation, state), scores }
    },
  })
  const constant = createGatedModel({ model, policy: answerWith(new Float32Array(12).fill(0.5)) })
  const { scores } = await constant.predict(batch)
  const own = await createGatedModel({ model, policy: scripted }).predict(batch)
  for (const row of [0, 1, 3]) expect(getRow(scores, row)).toEqual(new Float32Array(3).fill(0.5))
  expect(getRow(scores, 2)).toEqual(getRow(own.scores, 2))
  const short = createGatedModel({ model, policy: answerWith(new Float32Array(2)) }).predict(batch)
  await expect(short).rejects.toThrow(PolicyContractError)
  await expect(short).rejects.toThrow('it answers with 2 scores as [4, 3]; [4, 3] were due')
  const broken = createGatedModel({ model, policy: answerWith(new Float32Array(12).fill(Number.NaN)) })
  await expect(broken.predict(batch)).rejects.toThrow(NonFiniteValueError)
  expect(model.liveHandles).toBe(0)
})

it('answers rows that no gate let go with what the policy finishes with, and refuses it in another shape', async () => {
  const { model, batch, network } = await createExample()
  const scripted = createScriptedPolicy([1, 2, 0, 2])
  const seen: unknown[] = []
  const finishWith = (data: Float32Array): ExitPolicy => ({
    ...scripted,
    finish({ stage, scores: { rows, classCount }, rowIndices, macsSpent }) {
      seen.push({ stage, rowIndices, macsSpent })
      return { data, rows, classCount }
    },
  })
  const revised = await createGatedModel({ model, policy: finishWith(Float32Array.of(1, 2, 3, 4, 5, 6)) }).predict(
    batch,
  )
  const macsSpent = createFlopCounter(model.network).countThrough(2)
  expect(seen).toEqual([{ stage: 2, rowIndices: Uint32Array.of(1, 3), macsSpent }])
  expect(getRow(revised.scores, 1)).toEqual(Float32Array.of(1, 2, 3))
  expect(getRow(revised.scores, 3)).toEqual(Float32Array.of(4, 5, 6))
  const stages = computeReferenceScores(network, batch)
  expect(getRow(revised.scores, 0)).toEqual(getRow(stages[1] as ClassScores, 0))
  const short = createGatedModel({ model, policy: finishWith(new Float32Array(2)) }).predict(batch)
  await expect(short).rejects.toThrow('it answers with 2 scores as [2, 3]; [2, 3] were due')
  expect(model.liveHandles).toBe(0)
})

it('answers rows that no gate let go with the surest exit, a later one before an equally sure one, where asked', async () => {
  const { network, batch, model } = await createExample()
  const policy = createScriptedPolicy([0, 2, 2, 2])
  const stages = computeReferenceScores(network, batch)
  const ofClass =
    (sign: number): ExitScore =>
    (scores) =>
      Float32Array.from({ length: scores.rows }, (_, row) => sign * (getRow(scores, row)[0] ?? 0))
  for (const sign of [1, -1, 0]) {
    const mostConfident = ofClass(sign)
    const { scores, exits, macs } = await createGatedModel({ model, policy, mostConfident }).predict(batch)
    expect([...exits]).toEqual([0, 2, 2, 2])
    expect(macs).toEqual((await createGatedModel({ model, policy }).predict(batch)).macs)
    expect(getRow(scores, 0)).toEqual(getRow(stages[0] as ClassScores, 0))
    for (const row of [1, 2, 3]) {
      const answers = stages.map((exit) => getRow(exit, row))
      const sureness = answers.map((answer) => sign * (answer[0] ?? 0))
      expect(getRow(scores, row)).toEqual(answers[sureness.lastIndexOf(Math.max(...sureness))])
    }
  }
})

it('refuses a confidence that is not a number', async () => {
  const { model, batch } = await createExample()
  const mostConfident: ExitScore = ({ rows }) => new Float32Array(rows).fill(Number.NaN)
  const failure = createGatedModel({ model, policy: createScriptedPolicy([]), mostConfident }).predict(batch)
  await expect(failure).rejects.toThrow(PolicyContractError)
  await expect(failure).rejects.toThrow("'mostConfident'")
  expect(model.liveHandles).toBe(0)
})
