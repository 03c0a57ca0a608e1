import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type BatchBench, bench, type FusedNetworks, loadFusedNetworks, type Timing } from '@sluice/app-bench'
import { openBundleFolder } from '@sluice/bundle/node'
import { type Bundle, type BundleManifest, InvalidArgumentError, SluiceError } from '@sluice/core'
import { type Command, Option } from 'commander'
import { type BackendOptions, createBackendOption, createEngine, listBackends } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandResult, CommandRunner } from '../context.ts'
import { formatShare, formatTable } from '../format.ts'
import { parseCount, parseCountList } from '../parse-option.ts'
import { type LoadedBundle, openDataFor, withBundle } from '../runtime.ts'

interface BenchOptions extends BackendOptions {
  readonly data: string
  readonly batch: readonly number[]
  readonly rows: number
  readonly rounds: number
  readonly backends?: true
  readonly fused?: true
  readonly against?: string
}

/** With `--backends`, about the longest that a batch size takes on one of them: plain JavaScript is a hundred times slower. */
const limitPerBackendMs = 20_000

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
    .addOption(createBackendOption())
    .option('--fused', 'bench the network stage by stage and as `sluice export` writes it, in one session, too')
    .option('--against <bundle>', 'another bundle of the same network, timed in the same rounds')
    .option('--backends', 'all backends side by side; slow ones run fewer rows and rounds')
  setAction<BenchOptions>(command, run, async (context, options, [path = '']) => {
    if (options.backends) return benchBackends(path, context, options)
    const batch = await benchBundle(path, context, options)
    return { json: { batch }, lines: formatTimes([columns, ...batch.flatMap(toRows)]) }
  })
}

/** One backend after another, the chosen one first. @throws SluiceError of the first one where none runs */
async function benchBackends(path: string, context: CommandContext, options: BenchOptions): Promise<CommandResult> {
  await silenceOnnxRuntime()
  const { manifest } = await openBundleFolder(resolve(path))
  const results: BackendBench[] = []
  const failures: SluiceError[] = []
  for (const backend of listBackends(manifest.format, options.backend)) {
    try {
      results.push({ backend, batch: await benchBundle(path, context, { ...options, backend }) })
    } catch (error) {
      if (!SluiceError.isInstance(error)) throw error
      failures.push(error)
      results.push({ backend, unavailable: error.message })
    }
  }
  const first = results.find((result) => 'batch' in result)
  if (first === undefined) throw failures[0]
  return { json: { batch: first.batch, backends: results }, lines: describeBackends(results) }
}

/** It writes to standard error, past all sessions' settings, of a provider that does not start; the answer says it better. */
async function silenceOnnxRuntime(): Promise<void> {
  const { env } = await import('onnxruntime-node')
  env.logLevel = 'fatal'
}

function benchBundle(path: string, context: CommandContext, options: BenchOptions): Promise<readonly BatchBench[]> {
  const { data, batch: batchSizes, rows, rounds, backend, backends, against } = options
  return withBundle(path, context, { backend }, async ({ bundle, model, policy, plain }) => {
    const dataset = await openDataFor(bundle, data, context)
    const limitMs = backends ? limitPerBackendMs : undefined
    const fused = options.fused ? await loadFused(bundle, context, options) : undefined
    const asked = { dataset, batchSizes, rows, rounds, limitMs }
    const benchWith = (rival?: LoadedBundle) =>
      bench({ ...context, ...asked, model, policy, plain, fused, rival: rival && requireSameNetwork(bundle, rival) })
    try {
      const { batch } =
        against === undefined ? await benchWith() : await withBundle(against, context, { backend }, benchWith)
      return batch
    } finally {
      await fused?.gated.release()
      await fused?.noExit.release()
    }
  })
}

/** @throws InvalidArgumentError for a bundle of a network that takes or tells other things, or costs more or less */
function requireSameNetwork({ manifest }: Bundle, rival: LoadedBundle): LoadedBundle {
  const describe = ({ input, classes, macs }: BundleManifest) => [input, classes, macs]
  if (isDeepStrictEqual(describe(rival.source), describe(manifest))) return rival
  throw new InvalidArgumentError(
    `${rival.folder} holds another network than the benched bundle; --against takes gates on the same one, prepared with the same --mean, --std and --resize.`,
  )
}

function loadFused(bundle: Bundle, context: CommandContext, options: BackendOptions): Promise<FusedNetworks> {
  const { format } = bundle.manifest
  if (format === 'onnx') return loadFusedNetworks(bundle, createEngine(context, options))
  throw new InvalidArgumentError(`--fused is for ONNX bundles; this one's format is ${format}. Leave it out.`)
}

/** The times on one backend, or why there are none. */
type BackendBench =
  | { readonly backend: string; readonly batch: readonly BatchBench[] }
  | { readonly backend: string; readonly unavailable: string }

function describeBackends(results: readonly BackendBench[]): string[] {
  const measured = results.flatMap((result) =>
    'batch' in result ? result.batch.flatMap(toRows).map((cells) => [result.backend, ...cells]) : [],
  )
  const missing = results.flatMap((result) =>
    'unavailable' in result ? [`${result.backend} did not run: ${result.unavailable}`] : [],
  )
  return [...formatTimes([['backend', ...columns], ...measured]), ...missing]
}

const columns = ['batch', 'full', 'full, hinted', 'gated', 'no exit', 'time saved', 'ideal', 'MACs saved', 'overhead']

/** A table without the columns that no row fills. @param rows the head first */
function formatTimes(rows: readonly (readonly string[])[]): string[] {
  const [, ...body] = rows
  return formatTable(rows.map((row) => row.filter((_, column) => body.some((cells) => cells[column] !== ''))))
}

function toRows({ size, staged, fused, against, ...row }: BatchBench): string[][] {
  const { full, fullHinted } = row
  return [
    toCells(`${size}`, row),
    ...(staged ? [toCells(`${size}, stage by stage`, { ...row, ...staged })] : []),
    ...(fused ? [toCells(`${size}, one file`, { ...row, ...fused })] : []),
    ...(against ? [toCells(`${size}, against`, { full, fullHinted, ...against })] : []),
  ]
}

type TimedRow = { readonly [Key in keyof Omit<BatchBench, 'size'>]?: BatchBench[Key] | undefined }

/** What a row does not have stays empty. */
function toCells(name: string, row: TimedRow): string[] {
  const ms = (timing: Timing | undefined) => (timing === undefined ? '' : `${timing.median.toFixed(2)} ms`)
  const share = (value: number | undefined) => (value === undefined ? '' : formatShare(value))
  const times = [row.full, row.fullHinted, row.gated, row.noExit].map(ms)
  return [name, ...times, ...[row.timeSaved, row.idealTimeSaved, row.macsSaved, row.overhead].map(share)]
}
