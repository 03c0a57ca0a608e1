import { join } from 'node:path'
import type { z } from 'zod'
import { type Command, expandPlaces, formatCommand, type Places, runCommand } from './command.ts'
import { type DataStrings, describeData } from './describe-data.ts'
import { fakeClassCount, writeFakeImagenet } from './fake-imagenet.ts'
import { findMainBlocks } from './find-main-blocks.ts'
import { judgement, judgeSplits } from './judge-splits.ts'
import { describeMachine } from './machine.ts'
import type { NetworkSpec, Scale } from './networks.ts'
import { type Reproduction, reproduction, type Variant } from './result.ts'
import * as answers from './sluice-answers.ts'
import { createSteps } from './steps.ts'

/** What one run is about and what it may use. */
export interface RunOptions {
  readonly spec: NetworkSpec
  readonly scale: Scale
  /** `WORK` for everything that the run writes, `DATA`, `SHARED` for given models, `WEIGHTS` for torchvision's file. */
  readonly places: Places
  /** The Python interpreter with PyTorch. */
  readonly python: string
  /** Options of every `sluice attach`, e.g. its memory. */
  readonly attach: readonly string[]
  readonly onMessage: (message: string) => void
}

/** A run's steps, each parsed by the schema of its answer. */
interface Run extends RunOptions {
  readonly data: DataStrings
  perform<T>(name: string, command: Command, schema: z.ZodType<T>): Promise<T>
  compute<T>(name: string, what: string, schema: z.ZodType<T>, work: () => Promise<T>): Promise<T>
}

/** The network's file, as a place, and what is known of its making. */
type Model = { readonly file: string; readonly width: number } & Pick<Reproduction, 'training' | 'weights'>

const normalisation = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225']

const batchSizes = ['1', '16', '64']

/** Points of drop at which exits and times are taken. */
const benchedDrop = 2

/** Takes a network through all steps. @throws Error of the first step that fails; those before it are kept in `$WORK/steps` */
export async function runNetwork(options: RunOptions): Promise<Reproduction> {
  const { spec, scale, places } = options
  const commands: { command: string; seconds: number }[] = []
  const steps = createSteps(join(expandPlaces('$WORK', places), 'steps'), options.onMessage)
  const compute: Run['compute'] = async (name, what, schema, work) => {
    const { command, seconds, answer } = await steps.run(name, what, work)
    commands.push({ command, seconds })
    return schema.parse(answer)
  }
  const run: Run = {
    ...options,
    data: describeData(spec, scale),
    compute,
    perform: (name, command, schema) =>
      compute(name, formatCommand(command), schema, async () =>
        schema.parse(await runCommand(command, places, options.python)),
      ),
  }
  const { file, width, training, weights } = await obtainModel(run)
  const inspect = await run.perform('inspect', sluice('inspect', file), answers.inspectAnswer)
  const blocks = findMainBlocks(inspect, spec.mainBlocks, width)
  const paper = ['--at', blocks.join(','), '--head', 'linear', '--loss', 'hinge']
  const best = ['--gates', 'auto', '--head', 'mlp']
  const variants = [await runVariant(run, 'paper', file, paper), await runVariant(run, 'best', file, best)]
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
    variants,
    commands,
  })
}

async function obtainModel(run: Run): Promise<Model> {
  const { spec, scale, places } = run
  const file = '$WORK/model.onnx'
  if (spec.weights.kind === 'shared') {
    return { file: `$SHARED/${spec.weights.file}`, width: 1, training: null, weights: null }
  }
  if (spec.weights.kind === 'trained') {
    const { epochs, minutes } = spec.weights
    const work = scale.epochs === null ? [epochs, '--minutes', minutes] : [scale.epochs, '--width', scale.width]
    const limit = scale.images === null ? [] : ['--limit', scale.images]
    const args = ['train.py', '--network', spec.name, '--data', '$DATA', '--out', file]
    const recipe = ['--batch', scale.trainingBatch, '--epochs', ...work, ...limit].map(String)
    const training = await run.perform('train', { program: 'python', args: [...args, ...recipe] }, answers.trainAnswer)
    return { file, width: training.width, training, weights: null }
  }
  const args = ['imagenet.py', '--weights', '$WEIGHTS', '--out', file]
  const random = scale.name === 'full' ? [] : ['--random', fakeClassCount, '--width', scale.width].map(String)
  if (scale.images !== null) await writeFakeImagenet(expandPlaces('$DATA', places), scale.images)
  const weights = await run.perform('export', { program: 'python', args: [...args, ...random] }, answers.imagenetAnswer)
  return { file, width: weights.width, training: null, weights }
}

/** Attaches gates of one kind, judges them on many splits, and takes exits and times on the first one. */
async function runVariant(run: Run, name: Variant['name'], model: string, kind: readonly string[]): Promise<Variant> {
  const { spec, data, places } = run
  const bundle = `$WORK/${name}.sluice`
  const images = spec.weights.kind === 'torchvision' ? ['--resize', '256'] : []
  const input = [...normalisation, ...images]
  const perform = <T>(step: string, command: Command, schema: z.ZodType<T>) =>
    run.perform(`${name}-${step}`, command, schema)
  return {
    name,
    attach: await perform(
      'attach',
      sluice('attach', model, '--data', data.train, '--out', bundle, '--force', ...kind, ...input, ...run.attach),
      answers.attachAnswer,
    ),
    judged: await run.compute(`${name}-judge`, `judge ${bundle} on halves of ${data.test}`, judgement, () =>
      judgeSplits(expandPlaces(bundle, places), expandPlaces(data.test, places)),
    ),
    calibrate: await perform(
      'calibrate',
      sluice('calibrate', bundle, '--data', data.tuning, '--max-drop', String(benchedDrop)),
      answers.calibrateAnswer,
    ),
    evaluate: await perform('evaluate', sluice('evaluate', bundle, '--data', data.judging), answers.evaluateAnswer),
    bench: await benchSizes(run, name, bundle),
  }
}

/** One step per batch size: together they take long on a large network. */
async function benchSizes(run: Run, name: Variant['name'], bundle: string): Promise<Variant['bench']> {
  const batch: Variant['bench']['batch'][number][] = []
  for (const size of batchSizes) {
    const args = ['bench', bundle, '--data', run.data.judging, '--batch', size, '--fused', ...run.scale.bench]
    const answer = await run.perform(`${name}-bench-${size}`, sluice(...args), answers.benchAnswer)
    batch.push(...answer.batch)
  }
  return { batch }
}

function sluice(...args: readonly string[]): Command {
  return { program: 'sluice', args }
}
