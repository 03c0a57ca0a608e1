import { bench } from '@sluice/app-bench'
import { type Command, Option } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { formatShare, formatTable } from '../format.ts'
import { parseCount, parseCountList } from '../parse-option.ts'
import { openDataFor, withBundle } from '../runtime.ts'

interface BenchOptions {
  readonly data: string
  readonly batch: readonly number[]
  readonly rows: number
  readonly rounds: number
}

/** `sluice bench`: paired timings in one process. */
export function addBenchCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'bench <bundle>',
    'paired timings: gated against full, and what gates cost when none fires',
    'sluice bench resnet56.sluice --data "cifar10:data?split=test" --batch 1,64',
  )
    .requiredOption('--data <data>', 'data; the first --rows rows are used')
    .addOption(
      new Option('--batch <sizes>', 'batch sizes').default([1, 16, 64], '1,16,64').argParser(parseCountList('--batch')),
    )
    .addOption(new Option('--rows <n>', 'rows per round and contender').default(384).argParser(parseCount('--rows', 1)))
    .addOption(new Option('--rounds <n>', 'timed rounds').default(9).argParser(parseCount('--rounds', 1)))
  setAction<BenchOptions>(command, run, (context, { data, batch, rows, rounds }, [path = '']) =>
    withBundle(path, context, async ({ bundle, model, policy, plain }) => {
      const dataset = await openDataFor(bundle, data, context)
      const result = await bench({
        ...context,
        model,
        policy,
        plain,
        dataset,
        batchSizes: batch,
        rows,
        rounds,
      })
      return { json: result, lines: describe(result.batch) }
    }),
  )
}

function describe(batch: Awaited<ReturnType<typeof bench>>['batch']): string[] {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  return formatTable([
    ['batch', 'full', 'gated', 'no exit', 'time saved', 'ideal', 'MACs saved', 'overhead'],
    ...batch.map((row) => [
      String(row.size),
      ms(row.full.median),
      ms(row.gated.median),
      ms(row.noExit.median),
      formatShare(row.timeSaved),
      formatShare(row.idealTimeSaved),
      formatShare(row.macsSaved),
      formatShare(row.overhead),
    ]),
  ])
}
