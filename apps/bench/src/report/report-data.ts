import { collectScores, countMacsCost, findPolicyFamily, type WorkOptions } from '@sluice/app-train'
import {
  createExitTable,
  createGateContext,
  type ExitTable,
  evaluateThresholds,
  findExits,
  findParetoFront,
  type OperatingPoint,
  type ScoreCache,
} from '@sluice/calibration'
import {
  argmaxRows,
  type BundleManifest,
  type ClassScores,
  createEndAnswer,
  InvalidArgumentError,
  type JsonObject,
  type PolicyFamily,
  type StagedModel,
} from '@sluice/core'
import { type Dataset, DatasetError } from '@sluice/datasets'

export interface ReportOptions extends WorkOptions {
  readonly model: StagedModel
  readonly manifest: BundleManifest
  readonly dataset: Dataset
  /** Makes a data URI of a sample `[channels, height, width]` with values in 0..1. */
  readonly drawSample: (pixels: Float32Array, shape: readonly number[]) => Promise<string>
}

/** One image of a strip. */
export interface ReportImage {
  readonly uri: string
  readonly answer: string
  readonly label: string
}

/** Images that left at one exit. */
export interface ExitExamples {
  readonly title: string
  /** Furthest above the threshold first. */
  readonly easiest: readonly ReportImage[]
  /** Nearest to the threshold first. */
  readonly hardest: readonly ReportImage[]
}

/** All that the page shows. Lists by exit have one entry per stage; the last is the end of the network. */
export interface ReportData {
  readonly name: string
  readonly dataName: string
  readonly samples: number
  readonly policy: string
  readonly fullMacs: number
  readonly point: OperatingPoint
  readonly front: readonly OperatingPoint[]
  readonly exitShares: readonly number[]
  /** Null where no row left. */
  readonly exitAccuracies: readonly (number | null)[]
  /** MACs up to each exit, heads included, as a fraction of the full network's. */
  readonly exitMacShares: readonly number[]
  readonly classes: readonly { readonly name: string; readonly exitShares: readonly number[] }[]
  readonly examples: readonly ExitExamples[]
}

const imagesPerStrip = 10

/**
 * Runs the data once and works out what the page shows.
 * @throws DatasetError for data without labels, InvalidArgumentError for a bundle whose gates are off or of several policies
 */
export async function collectReportData(options: ReportOptions): Promise<ReportData> {
  const { model, manifest, dataset } = options
  if (dataset.classes.length === 0) throw createUnlabelledError(dataset)
  const family = findSharedFamily(manifest)
  const cache = await collectScores(model, manifest, dataset, { ...options, families: [family] })
  const { labels } = cache
  if (labels === null) throw createUnlabelledError(dataset)
  const parameters = manifest.gates.map(({ policy }) => policy.parameters)
  const endParameters = manifest.endPolicy?.parameters ?? null
  const table = createExitTable(cache, family, parameters, countMacsCost(manifest), endParameters)
  const thresholds = manifest.gates.map(({ policy }) => policy.threshold ?? Number.POSITIVE_INFINITY)
  const point = evaluateThresholds(table, thresholds)
  const rows = describeRows(findAnswers(cache, family, parameters, endParameters), table, thresholds, labels)
  return {
    name: manifest.name,
    dataName: dataset.name,
    samples: dataset.size,
    policy: family.name,
    fullMacs: manifest.macs,
    point,
    front: findParetoFront(table),
    exitShares: point.exitShares,
    exitAccuracies: point.exitShares.map((_, exit) => accuracyOf(rows.filter((row) => row.exit === exit))),
    exitMacShares: countMacShares(manifest),
    classes: manifest.classes.map((name, label) => ({
      name,
      exitShares: countShares(
        rows.filter((row) => row.label === label),
        manifest.stages.length,
      ),
    })),
    examples: await collectExamples(options, rows),
  }
}

function createUnlabelledError({ name }: Dataset): DatasetError {
  return new DatasetError(`${name} has no labels; a report needs them to judge answers.`)
}

function findSharedFamily({ gates, endPolicy }: BundleManifest): PolicyFamily {
  if (gates.every(({ policy }) => policy.threshold === null)) {
    throw new InvalidArgumentError(
      'No gate of this bundle is on, so there is nothing to report. Run sluice calibrate, with a larger --max-drop where it left the gates off.',
    )
  }
  const atEnd = endPolicy === undefined ? [] : [endPolicy.name]
  const [name, ...others] = new Set([...gates.map(({ policy }) => policy.name), ...atEnd])
  if (name !== undefined && others.length === 0) return findPolicyFamily(name)
  throw new InvalidArgumentError(
    `The gates use the policies ${[name, ...others].join(', ')}; a report compares gates of one policy. Run sluice calibrate first.`,
  )
}

function countMacShares({ stages, macs }: BundleManifest): number[] {
  let sum = 0
  return stages.map((stage) => {
    sum += stage.macs.backbone + stage.macs.head
    return sum / macs
  })
}

interface RowOutcome {
  readonly row: number
  readonly exit: number
  readonly answer: number
  readonly label: number
  /** How far above the threshold the row's score lies; 0 at the end of the network. */
  readonly margin: number
}

/** The class that each exit answers every row with. */
function findAnswers(
  cache: ScoreCache,
  family: PolicyFamily,
  parameters: readonly JsonObject[],
  endParameters: JsonObject | null,
): Int32Array[] {
  const stages = [...cache.gates.map(({ scores }) => scores), cache.final]
  const answers = parameters.map((each) => family.createAnswer?.(each))
  const endAnswer = endParameters === null ? undefined : createEndAnswer(family, endParameters)
  return [...answers, endAnswer].map((answer, stage) => {
    const scores = stages[stage] as ClassScores
    return argmaxRows(answer?.(scores, createGateContext(cache, stage)) ?? scores)
  })
}

function describeRows(
  answers: readonly Int32Array[],
  table: ExitTable,
  thresholds: readonly number[],
  labels: Int32Array,
): RowOutcome[] {
  return Array.from(findExits(table, thresholds), (exit, row) => ({
    row,
    exit,
    answer: answers[exit]?.[row] ?? 0,
    label: labels[row] ?? 0,
    margin: (table.gates[exit]?.scores[row] ?? 0) - (thresholds[exit] ?? 0),
  }))
}

function accuracyOf(rows: readonly RowOutcome[]): number | null {
  return rows.length === 0 ? null : rows.filter(({ answer, label }) => answer === label).length / rows.length
}

function countShares(rows: readonly RowOutcome[], exits: number): number[] {
  const shares = new Array<number>(exits).fill(0)
  for (const { exit } of rows) shares[exit] = (shares[exit] ?? 0) + 1 / rows.length
  return shares
}

async function collectExamples(options: ReportOptions, rows: readonly RowOutcome[]): Promise<ExitExamples[]> {
  if (!isPicture(options.dataset.sampleShape)) return []
  const { stages } = options.manifest
  const examples: ExitExamples[] = []
  for (let exit = 0; exit < stages.length - 1; exit++) {
    const leaving = rows.filter((row) => row.exit === exit).sort((a, b) => b.margin - a.margin)
    if (leaving.length === 0) continue
    examples.push({
      title: `Exit ${exit}: ${leaving.length} images`,
      easiest: await drawRows(options, leaving.slice(0, imagesPerStrip)),
      hardest: await drawRows(options, leaving.slice(-imagesPerStrip).reverse()),
    })
  }
  return examples
}

/** Grey or colour, `[channels, height, width]`. */
function isPicture([channels, ...size]: readonly number[]): boolean {
  return size.length === 2 && (channels === 1 || channels === 3)
}

async function drawRows({ dataset, manifest, drawSample }: ReportOptions, rows: readonly RowOutcome[]) {
  const { images } = await dataset.read(rows.map(({ row }) => row))
  const size = images.length / rows.length
  return Promise.all(
    rows.map(async ({ answer, label }, index) => ({
      uri: await drawSample(images.subarray(index * size, (index + 1) * size), dataset.sampleShape),
      answer: manifest.classes[answer] ?? String(answer),
      label: manifest.classes[label] ?? String(label),
    })),
  )
}
