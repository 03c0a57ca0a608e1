import { type Evaluation, evaluate } from '@sluice/app-bench'
import { type BundleManifest, InvalidArgumentError } from '@sluice/core'
import { type Command, Option } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { formatMacs, formatShare, formatTable } from '../format.ts'
import { parseCount } from '../parse-option.ts'
import { openDataFor, withBundle } from '../runtime.ts'

interface EvaluateOptions extends BackendOptions {
  readonly data: string
  readonly batch: number
  readonly policy?: string
}

/** `sluice evaluate`: the gated network beside the full one. */
export function addEvaluateCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'evaluate <bundle>',
    'run the gated and the full network side by side',
    'sluice evaluate resnet56.sluice --data "cifar10:data?split=test"',
  )
    .requiredOption('--data <data>', 'labelled data')
    .addOption(new Option('--batch <n>', 'rows per batch').default(64).argParser(parseCount('--batch', 1)))
    .option('--policy <name>', 'refuse a bundle that was calibrated for another policy')
    .addOption(createBackendOption())
  setAction<EvaluateOptions>(command, run, (context, { data, batch, policy: wanted, backend }, [path = '']) =>
    withBundle(path, context, { backend }, async ({ source, bundle, sourceStages, model, policy, plain }) => {
      checkPolicy(source, wanted)
      const dataset = await openDataFor(bundle, data, context)
      const full = await plain.loadFull()
      try {
        const active = await evaluate({ ...context, model, policy, full, dataset, batchSize: batch })
        const exits = active.exits.map((exit) => ({ ...exit, stage: sourceStages[exit.stage] ?? exit.stage }))
        const evaluation = { ...active, exits }
        return { json: evaluation, lines: describeEvaluation(evaluation) }
      } finally {
        await full.release()
      }
    }),
  )
}

/** Thresholds mean something for the policy alone that they were chosen for. */
function checkPolicy({ gates }: BundleManifest, wanted: string | undefined): void {
  const other = gates.find(({ policy }) => wanted !== undefined && policy.name !== wanted)
  if (other === undefined) return
  throw new InvalidArgumentError(
    `The bundle's thresholds were chosen for the policy '${other.policy.name}'; run sluice calibrate --policy ${wanted} first.`,
  )
}

/** The evaluation as people read it. */
function describeEvaluation(evaluation: Evaluation): string[] {
  const { samples, accuracy, fullAccuracy, drop, agreement, macsPerSample, fullMacs, macsSaved, timeSaved } = evaluation
  return [
    `${samples} samples: accuracy ${formatShare(accuracy)}, full network ${formatShare(fullAccuracy)}, drop ${drop.toFixed(2)} points, agreement ${formatShare(agreement)}`,
    `MACs per sample ${formatMacs(macsPerSample)} of ${formatMacs(fullMacs)}: ${formatShare(macsSaved)} saved; time saved here ${formatShare(timeSaved)}`,
    '',
    ...formatTable([
      ['exit', 'samples', 'accuracy'],
      ...evaluation.exits.map((exit, index) => [
        index === evaluation.exits.length - 1 ? 'end of the network' : `after stage ${exit.stage}`,
        formatShare(exit.share),
        exit.accuracy === null ? '-' : formatShare(exit.accuracy),
      ]),
    ]),
  ]
}
