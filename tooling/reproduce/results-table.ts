import { readFile, writeFile } from 'node:fs/promises'
import { findBestPolicy, findPoint } from './find-best-policy.ts'
import { divideByIdeal, judgeTargets } from './judge-targets.ts'
import { type NetworkSpec, networks } from './networks.ts'
import { type Reproduction, reproduction, type Variant } from './result.ts'

const resultsFolder = new URL('../../docs/results/', import.meta.url)
const page = new URL('../../docs/results.md', import.meta.url)
const marked = /(<!-- reproduce -->\n)[\s\S]*?(<!-- \/reproduce -->)/

/** Writes the table of what was measured into docs/results.md. */
export async function writeResultsTable(): Promise<void> {
  await writeFile(page, await updateResultsPage())
}

/** The page with its table made anew. @throws Error where the page has no marks for it */
export async function updateResultsPage(): Promise<string> {
  const text = await readFile(page, 'utf8')
  if (!marked.test(text)) throw new Error('docs/results.md has no <!-- reproduce --> … <!-- /reproduce --> marks.')
  const table = formatResults(await Promise.all(networks.map(readResult)))
  return text.replace(marked, (_, start: string, end: string) => `${start}\n${table}\n\n${end}`)
}

async function readResult({ name }: NetworkSpec): Promise<Reproduction | null> {
  const text = await readFile(new URL(`${name}.json`, resultsFolder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : reproduction.parse(JSON.parse(text))
}

const variants = ['paper', 'best'] as const
const heads = ['network', 'full accuracy', 'gates', 'no drop: saved', '2 points: saved', 'batch 64: time', 'asked']

/** The rows of all networks as a Markdown table. @param results in the order of `networks`; null where nothing was measured */
export function formatResults(results: readonly (Reproduction | null)[]): string {
  const rows = networks.flatMap((network, index) =>
    variants.map((name) => formatRow(network, name, results[index] ?? null)),
  )
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function formatRow(network: NetworkSpec, name: Variant['name'], result: Reproduction | null): string[] {
  const gates = name === 'paper' ? "the paper's" : 'MLP, placed'
  const verdicts = judgeTargets(network, name, result)
  const variant = result?.variants.find((candidate) => candidate.name === name)
  if (result === null || variant === undefined) {
    const asked = verdicts.map(({ what }) => what).join('; ')
    return [network.title, describeMissing(network), gates, '', '', '', asked]
  }
  return [
    network.title,
    formatPercent(variant.compare.fullAccuracy.median),
    `${gates}, at ${variant.attach.gates.map(({ share }) => formatPercent(share)).join(', ')}`,
    formatPoint(variant, 0),
    formatPoint(variant, 2),
    formatTime(variant),
    verdicts.map(({ what, isMet }) => `${what}: ${isMet ? 'met' : 'missed'}`).join('; '),
  ]
}

function describeMissing({ weights }: NetworkSpec): string {
  if (weights.kind === 'trained') return 'not yet measured: waits for a GPU'
  if (weights.kind === 'torchvision') return "not yet measured: needs ImageNet's images, which cannot be shipped"
  return 'not yet measured'
}

function formatPoint({ compare }: Variant, maxDrop: number): string {
  const best = findBestPolicy(compare, maxDrop)
  const { drop, macsSaved } = findPoint(best, maxDrop)
  return `${formatPercent(macsSaved.median)} (drop ${drop.median.toFixed(2)}, ${best.policy})`
}

function formatTime({ bench }: Variant): string {
  const batch = bench.batch.find(({ size }) => size === 64)
  if (batch === undefined) throw new Error('Nothing was timed at batch 64.')
  const format = (saved: number) => {
    const share = divideByIdeal(saved, batch.idealTimeSaved)
    return `${formatPercent(saved)} (${share === null ? 'the ideal is none' : `${share.toFixed(2)} of the ideal`})`
  }
  const fused = batch.fused === undefined ? '' : `, in one file ${format(batch.fused.timeSaved)}`
  return format(batch.timeSaved) + fused
}

function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
