import { type DeviceFeatures, type DeviceScores, disposeRows, type StagedNetwork, type StageResult } from './backend.ts'
import { checkFinite } from './batch.ts'
import type { ClassScores } from './class-scores.ts'
import { BackendContractError } from './errors.ts'
import type { PooledFeatures } from './pooled-features.ts'

/** Whose numbers are read, for messages and checks. */
export interface StageReading {
  readonly network: Pick<StagedNetwork, 'classCount' | 'stages'>
  readonly stage: number
  /** Index in the batch of each row that the stage ran on. */
  readonly rows: Uint32Array
  /** Whether pooled features are wanted; they are disposed unread where not. */
  readonly usesFeatures: boolean
}

/** A stage's numbers in host memory. */
export interface StageNumbers {
  readonly scores: ClassScores
  readonly features?: PooledFeatures | undefined
}

/**
 * Reads what is wanted of a stage's result and disposes all of it but the activation.
 * @throws BackendContractError for another number of values than is due, NonFiniteValueError
 */
export async function readStageResult({ scores, features }: StageResult, reading: StageReading): Promise<StageNumbers> {
  try {
    return {
      scores: await readScores(scores, reading),
      features: features && reading.usesFeatures ? await readFeatures(features, reading) : undefined,
    }
  } finally {
    disposeRows({ scores, features })
  }
}

async function readScores(handle: DeviceScores, { network, stage, rows }: StageReading): Promise<ClassScores> {
  const scores = await handle.read()
  checkShape('scores', scores.data, [scores.rows, scores.classCount], [rows.length, network.classCount], stage)
  checkFinite(`The score array of stage ${stage}`, scores.data, scores.classCount, rows)
  return scores
}

async function readFeatures(handle: DeviceFeatures, { network, stage, rows }: StageReading): Promise<PooledFeatures> {
  const features = await handle.read()
  const width = network.stages[stage]?.features?.width ?? 0
  checkShape('pooled features', features.data, [features.rows, features.width], [rows.length, width], stage)
  checkFinite(`The feature array of stage ${stage}`, features.data, width, rows)
  return features
}

type Shape = readonly [rows: number, width: number]

function checkShape(what: string, { length }: Float32Array, actual: Shape, due: Shape, stage: number): void {
  if (actual.join() === due.join() && length === due[0] * due[1]) return
  throw new BackendContractError(
    `stage ${stage} gave ${length} ${what} as [${actual.join(', ')}]; [${due.join(', ')}] were due.`,
  )
}
