import { findFastestCandidate, formatThreshold, measureTimeCost } from '@sluice/app-bench'
import {
  type CalibrateOptions as CalibrationOptions,
  calibrate,
  countMacsCost,
  findPolicyFamily,
  inputBatches,
  policyFamilies,
} from '@sluice/app-train'
import { updateManifest } from '@sluice/bundle/node'
import type { ThresholdSearch } from '@sluice/calibration'
import { type CalibrationRecord, checkFeatures, InvalidArgumentError } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { type Command, Option } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandRunner } from '../context.ts'
import { formatShare, formatTable } from '../format.ts'
import { parseCount, parseNumber } from '../parse-option.ts'
import { type LoadedBundle, openDataFor, withBundle } from '../runtime.ts'

interface CalibrateOptions extends BackendOptions {
  readonly data: string
  readonly maxDrop: number
  readonly policy?: string
  readonly labels: boolean
  readonly cost: 'macs' | 'time'
  readonly search: ThresholdSearch
  readonly confidence?: number
  readonly batch: number
}

/** `sluice calibrate`: chooses thresholds and writes them into the bundle. */
export function addCalibrateCommand(program: Command, run: CommandRunner): void {
  const names = policyFamilies.map(({ name }) => name)
  const command = addCommand(
    program,
    'calibrate <bundle>',
    'choose thresholds and write them into the bundle',
    'sluice calibrate resnet56.sluice --data "cifar10:data?split=test&limit=5000" --max-drop 1',
  )
    .requiredOption('--data <data>', 'data that the network was not trained on')
    .requiredOption('--max-drop <points>', 'points of accuracy that may be lost', parseNumber('--max-drop', 0, 100))
    .addOption(new Option('--policy <name>', "exit policy; the bundle's own when absent").choices(names))
    .option(
      '--confidence <chance>',
      'promise the drop for unseen data with this chance, e.g. 0.95: half of the data choose, the other half certify',
      parseNumber('--confidence', 0, 1),
    )
    .option('--no-labels', "judge by the full network's answers instead of labels")
    .addOption(new Option('--cost <kind>', 'what is minimised').choices(['macs', 'time']).default('macs'))
    .addOption(
      new Option('--search <kind>', 'how thresholds are searched')
        .choices(['level', 'coordinate', 'dynamic-programming'])
        .default('level'),
    )
    .addOption(
      new Option('--batch <n>', 'rows per batch, also where time is measured')
        .default(64)
        .argParser(parseCount('--batch', 1)),
    )
    .addOption(createBackendOption())
  setAction<CalibrateOptions>(command, run, (context, options, [path = '']) =>
    withBundle(path, context, { backend: options.backend, keepsIdleGates: true }, async (loaded) => {
      const { folder, bundle, model } = loaded
      const family = findPolicyFamily(options.policy ?? bundle.manifest.gates[0]?.policy.name ?? 'softmax')
      checkFeatures(family, model.network)
      const dataset = await openDataFor(bundle, options.data, context)
      const { cost, search, maxDrop, batch, confidence } = options
      const result = await calibrate({
        ...context,
        model,
        manifest: bundle.manifest,
        dataset,
        family,
        maxDrop,
        ignoreLabels: !options.labels,
        costKind: cost,
        ...(cost === 'macs'
          ? { cost: countMacsCost(bundle.manifest) }
          : await measureTimes(context, loaded, dataset, batch)),
        search,
        confidence,
        batchSize: batch,
        seed: context.options.seed,
      })
      for (const warning of result.warnings) context.note(warning)
      if (!result.met && result.warnings.length === 0) {
        context.note(
          `No gates save ${cost === 'macs' ? 'MACs' : `time at batch ${batch}`} within a drop of ${maxDrop} points; all stay off. Allow a larger --max-drop, or pass more data.`,
        )
      }
      await updateManifest(folder, () => result.manifest)
      const { target, measured, guarantee } = result.record
      const tuning = {
        samples: result.tuningSamples,
        drop: measured.drop,
        macsSaved: measured.macsSaved,
      }
      return {
        json: { policy: family.name, thresholds: result.thresholds, target, tuning, guarantee },
        lines: [
          `${family.name}: drop ${tuning.drop.toFixed(2)} points on ${tuning.samples} samples, ${formatShare(tuning.macsSaved)} of the MACs saved`,
          describeGuarantee(result.record),
          ...formatTable([
            ['gate', 'threshold', 'samples leaving'],
            ...result.thresholds.map((threshold, gate) => [
              String(gate),
              formatThreshold(threshold, 4),
              formatShare(measured.exitShares[gate] ?? 0),
            ]),
          ]),
        ],
      }
    }),
  )
}

function describeGuarantee({ guarantee, target }: CalibrationRecord): string {
  if (guarantee === null) return 'No guarantee for unseen data.'
  const { risk, bound, samples, losses } = guarantee
  const what =
    risk === 'accuracy-gap' ? 'the gated network is wrong where the full one is right' : 'the two networks disagree'
  return `Certified with confidence ${target.confidence}: on at most ${formatShare(bound)} of unseen samples ${what} (${losses} of the ${samples} that certify).`
}

/** Prices stages and gates in milliseconds on this machine, and has candidates for the gates run against each other. */
async function measureTimes(
  context: CommandContext,
  { bundle, model, backend, plain }: LoadedBundle,
  dataset: Dataset,
  batchSize: number,
): Promise<Pick<CalibrationOptions, 'cost' | 'trial'>> {
  const rows = select(dataset, { limit: batchSize })
  const { value: batch } = await inputBatches(rows, bundle.manifest.input, batchSize).next()
  if (!batch) throw new InvalidArgumentError(`${dataset.name} is empty; time is measured on its first rows.`)
  const { seed } = context.options
  return {
    cost: await measureTimeCost({
      model,
      plain,
      images: batch.images,
      signal: context.signal,
    }),
    trial: (candidates, data) =>
      findFastestCandidate({ ...context, backend, source: bundle, candidates, dataset: data, batchSize, seed }),
  }
}
