import { access, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type Comparison,
  checkTimedBatches,
  comparePolicies,
  drawComparisonPage,
  formatComparison,
  timePolicies,
} from '@sluice/app-bench'
import { collectScores, findPolicyFamily, policyFamilies } from '@sluice/app-train'
import type { PolicyFamily, StagedModel } from '@sluice/core'
import { type Command, Option } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandRunner } from '../context.ts'
import { parseCount, parseCountList } from '../parse-option.ts'
import { type LoadedBundle, openDataFor, withBundle } from '../runtime.ts'
import { checkTarget, writeFileAtomically } from '../write-file.ts'

interface CompareOptions extends BackendOptions {
  readonly data: string
  readonly policy: readonly PolicyFamily[]
  readonly splits: number
  readonly out?: string
  readonly force?: boolean
  readonly time: boolean
  readonly batch: readonly number[]
  readonly rows: number
  readonly rounds: number
}

/** `sluice compare`: the exit policies on the same heads, tuned on one half of the data and judged on the other. */
export function addCompareCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'compare <bundle>',
    'exit policies on the same heads, tuned on one half of the data and judged on the other',
    'sluice compare resnet56.sluice --data "cifar10:data?split=test" --out comparison',
  )
    .requiredOption('--data <data>', 'labelled data that the network was not trained on')
    .addOption(
      new Option('--policy <name>', 'only this exit policy; may be repeated')
        .default(policyFamilies, 'all')
        .argParser(addPolicy),
    )
    .addOption(new Option('--splits <n>', 'random splits in halves').default(10).argParser(parseCount('--splits', 1)))
    .option('--out <folder>', 'where comparison.json, comparison.md and comparison.html go')
    .option('--force', 'replace existing files')
    .option('--no-time', 'leave the clock out')
    .addOption(
      new Option('--batch <sizes>', 'batch sizes that are timed')
        .default([16, 64], '16,64')
        .argParser(parseCountList('--batch')),
    )
    .addOption(new Option('--rows <n>', 'rows per timed round').default(256).argParser(parseCount('--rows', 1)))
    .addOption(new Option('--rounds <n>', 'timed rounds').default(5).argParser(parseCount('--rounds', 1)))
    .addOption(createBackendOption())
  setAction<CompareOptions>(command, run, (context, options, [path = '']) =>
    withBundle(path, context, { backend: options.backend, keepsIdleGates: true }, async (loaded) => {
      const { out, force: replace = false } = options
      const files = out === undefined ? null : await planFiles(resolve(out), replace)
      const comparison = await compare(loaded, context, options)
      const text = formatComparison(comparison)
      if (files === null) return { json: comparison, lines: [text.trimEnd()] }
      await mkdir(dirname(files.json), { recursive: true })
      await writeFileAtomically(files.json, `${JSON.stringify(comparison, null, 2)}\n`, { replace })
      await writeFileAtomically(files.markdown, text, { replace })
      await writeFileAtomically(files.page, drawComparisonPage(comparison), { replace })
      return { json: comparison, lines: [text, `The page with the curves is ${files.page}`] }
    }),
  )
}

/** The default stands for no choice. @throws InvalidArgumentError for a name that no policy has */
function addPolicy(name: string, chosen: readonly PolicyFamily[]): readonly PolicyFamily[] {
  return [...new Set([...(chosen === policyFamilies ? [] : chosen), findPolicyFamily(name)])]
}

async function compare(
  { bundle, model, backend, plainNetworks }: LoadedBundle,
  context: CommandContext,
  { data, policy, splits, time, batch: batchSizes, rows, rounds }: CompareOptions,
): Promise<Comparison> {
  const { manifest } = bundle
  const dataset = await openDataFor(bundle, data, context)
  if (time) checkTimedBatches(batchSizes, dataset.size)
  const families = selectFamilies(policy, model, context)
  const cache = await collectScores(model, manifest, dataset, { ...context, families })
  const { seed } = context.options
  const result = await comparePolicies({ ...context, manifest, data: dataset.name, cache, families, splits, seed })
  if (!time) return result.comparison
  const asked = { batchSizes, rows, rounds }
  return timePolicies(result, { ...context, ...asked, backend, source: bundle, plainNetworks, dataset })
}

/** The policies asked for; where none is, all but those that look at features which the gates do not yield. */
function selectFamilies(
  asked: readonly PolicyFamily[],
  { network }: StagedModel,
  context: CommandContext,
): readonly PolicyFamily[] {
  const yieldsFeatures = network.stages.slice(0, -1).every(({ features }) => features !== undefined)
  if (asked !== policyFamilies || yieldsFeatures) return asked
  const left = asked.filter(({ usesFeatures }) => usesFeatures).map(({ name }) => name)
  context.note(
    `Left out: ${left.join(', ')}, as the gates yield no pooled features of the network. sluice attach --features makes them.`,
  )
  return asked.filter(({ usesFeatures }) => !usesFeatures)
}

/** Where a comparison goes. Checks before long work that it may be written. @throws FileWriteError */
async function planFiles(folder: string, replace: boolean) {
  const files = {
    json: join(folder, 'comparison.json'),
    markdown: join(folder, 'comparison.md'),
    page: join(folder, 'comparison.html'),
  }
  const isThere = await access(folder).then(
    () => true,
    () => false,
  )
  for (const path of isThere ? Object.values(files) : [folder]) await checkTarget(path, { replace })
  return files
}
