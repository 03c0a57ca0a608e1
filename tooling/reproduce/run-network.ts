import { findMainBlocks } from './find-main-blocks.ts'
import { describeMachine } from './machine.ts'
import { obtainModel } from './obtain-model.ts'
import { type Reproduction, reproduction } from './result.ts'
import { type RunOptions, startRun } from './run.ts'
import { runVariant, sluice } from './run-variant.ts'
import { inspectAnswer } from './sluice-answers.ts'

/** Takes a network through all steps. @throws Error of the first step that fails; those before it are kept */
export async function runNetwork(options: RunOptions): Promise<Reproduction> {
  const { spec, scale } = options
  const run = startRun(options)
  const { file, width, training, weights } = await obtainModel(run)
  const inspect = await run.perform('inspect', sluice('inspect', file), inspectAnswer)
  const blocks = findMainBlocks(inspect, spec.mainBlocks, width)
  const paper = await runVariant(run, file, {
    name: 'paper',
    gates: ['--at', blocks.join(','), '--head', 'linear', '--loss', 'hinge'],
    policies: ['margin', 'margin-difference', 'margin-distance'],
  })
  const best = await runVariant(run, file, {
    name: 'best',
    gates: ['--gates', 'auto', '--head', 'mlp'],
    policies: [],
  })
  return reproduction.parse({
    specVersion: 'v1',
    network: spec.name,
    scale: scale.name,
    date: new Date().toISOString().slice(0, 10),
    ...describeMachine(),
    training,
    weights,
    macs: inspect.macs,
    parameters: inspect.parameters,
    variants: [paper, best],
    commands: run.commands,
  })
}
