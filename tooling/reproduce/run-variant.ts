import { findPolicyFamily } from '@sluice/app-train'
import { findBestPolicy } from './find-best-policy.ts'
import type { Variant } from './result.ts'
import type { Run } from './run.ts'
import { attachAnswer, benchAnswer, calibrateAnswer, compareAnswer, evaluateAnswer } from './sluice-answers.ts'

/** Gates of one kind. */
export interface VariantPlan {
  readonly name: Variant['name']
  /** Options of `sluice attach` that say which gates. */
  readonly gates: readonly string[]
  /** Exit policies that are compared; all when empty. */
  readonly policies: readonly string[]
}

const normalisation = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225']

/** Points of drop at which exits and times are taken. */
const timedDrop = 2

const batchSizes = ['1', '16', '64']

/** Attaches gates of one kind, judges them on random halves of the test images, and takes exits and times on one of these. */
export async function runVariant(run: Run, model: string, { name, gates, policies }: VariantPlan): Promise<Variant> {
  const { spec, data } = run
  const bundle = `$WORK/${name}.sluice`
  const perform: Run['perform'] = (step, command, schema) => run.perform(`${name}-${step}`, command, schema)
  const images = spec.weights.kind === 'torchvision' ? ['--resize', '256'] : []
  const attachArgs = [model, '--data', data.train, '--out', bundle, '--force', ...gates, ...normalisation, ...images]
  const attach = await perform('attach', sluice('attach', ...attachArgs, ...run.attach), attachAnswer)
  const named = policies.flatMap((policy) => ['--policy', policy])
  const compareCommand = sluice('compare', bundle, '--data', data.test, '--no-time', ...named)
  const compare = await perform('compare', compareCommand, compareAnswer)
  const { policy } = findBestPolicy(compare, timedDrop)
  const target = ['--max-drop', String(timedDrop), '--policy', policy]
  const calibrateCommand = sluice('calibrate', bundle, '--data', data.tuning, ...target)
  const calibrate = await perform('calibrate', calibrateCommand, calibrateAnswer)
  const evaluate = await perform('evaluate', sluice('evaluate', bundle, '--data', data.judging), evaluateAnswer)
  const oneFile = findPolicyFamily(policy).expressScore === undefined ? [] : ['--fused']
  const batch: Variant['bench']['batch'] = []
  // One step per batch size: together they take long on a large network.
  for (const size of batchSizes) {
    const args = [bundle, '--data', data.judging, '--batch', size, ...oneFile, ...run.scale.bench]
    const answer = await perform(`bench-${size}`, sluice('bench', ...args), benchAnswer)
    batch.push(...answer.batch)
  }
  return { name, attach, compare, calibrate, evaluate, bench: { batch } }
}

/** A command of the program. */
export function sluice(...args: readonly string[]) {
  return { program: 'sluice', args } as const
}
