import { bench, readStages } from '@sluice/app-bench'
import { exportGatedNetwork } from '@sluice/app-train'
import type { Bundle } from '@sluice/core'
import { type OnnxEngine, replaceThresholds, writeOnnxModel } from '@sluice/onnx-graph'
import { type Command, Option } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { formatShare, formatTable } from '../format.ts'
import { parseCount, parseCountList } from '../parse-option.ts'
import { createEngine, openDataFor, withBundle } from '../runtime.ts'

interface BenchOptions {
  readonly data: string
  readonly batch: readonly number[]
  readonly rows: number
  readonly rounds: number
  readonly fused?: boolean
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
    .option('--fused', 'bench the network as `sluice export` writes it, in one session, too')
  setAction<BenchOptions>(
    command,
    run,
    (context, { data, batch, rows, rounds, fused: benchesFused = false }, [path = '']) =>
      withBundle(path, context, async ({ bundle, model, policy }) => {
        const dataset = await openDataFor(bundle, data, context)
        const stages = await readStages(bundle)
        const engine = createEngine(context)
        const fused = benchesFused ? await loadFused(bundle, engine) : undefined
        try {
          const result = await bench({
            ...context,
            model,
            policy,
            engine,
            stages,
            dataset,
            batchSizes: batch,
            rows,
            rounds,
            ...(fused && { fused }),
          })
          return { json: result, lines: describe(result.batch) }
        } finally {
          await fused?.gated.release()
          await fused?.noExit.release()
        }
      }),
  )
}

async function loadFused(bundle: Bundle, engine: OnnxEngine) {
  const { model, thresholds } = await exportGatedNetwork(bundle)
  const never = replaceThresholds(
    model,
    thresholds.map(() => Number.POSITIVE_INFINITY),
  )
  const gated = await engine.createSession(writeOnnxModel(model))
  return { gated, noExit: await engine.createSession(writeOnnxModel(never)) }
}

function describe(batch: Awaited<ReturnType<typeof bench>>['batch']): string[] {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  return formatTable([
    ['batch', 'full', 'gated', 'no exit', 'time saved', 'ideal', 'MACs saved', 'overhead'],
    ...batch.flatMap((row) => [
      [
        String(row.size),
        ms(row.full.median),
        ms(row.gated.median),
        ms(row.noExit.median),
        formatShare(row.timeSaved),
        formatShare(row.idealTimeSaved),
        formatShare(row.macsSaved),
        formatShare(row.overhead),
      ],
      ...(row.fused === undefined
        ? []
        : [
            [
              `${row.size}, one file`,
              ms(row.full.median),
              ms(row.fused.gated.median),
              ms(row.fused.noExit.median),
              formatShare(row.fused.timeSaved),
              formatShare(row.idealTimeSaved),
              formatShare(row.macsSaved),
              formatShare(row.fused.overhead),
            ],
          ]),
    ]),
  ])
}
