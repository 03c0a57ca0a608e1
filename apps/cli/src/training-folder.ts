import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InvalidArgumentError } from '@sluice/core'
import { writeFileAtomically } from './write-file.ts'

/** What a training leaves in its folder, by purpose. */
const entries = {
  checkpoint: 'checkpoint.bin',
  metrics: 'metrics.csv',
  curves: 'curves.html',
  model: 'model.onnx',
  tfjs: 'tfjs',
  bundle: 'gated.sluice',
} as const

/** The folder of a training. */
export interface TrainingFolder {
  /** The last checkpoint where the training is resumed, null where it starts. */
  readonly checkpoint: Uint8Array | null
  /** Where something goes or stands. */
  pathOf(entry: keyof typeof entries): string
  /** Writes a file whole or not at all, in place of the one before; the first one in place of a training thrown away. */
  write(path: string, content: string | Uint8Array): Promise<void>
}

/**
 * Prepares a folder for a training: an empty or new one, one with a checkpoint to resume, or, with `force`, one whose
 * training is thrown away as soon as the new one has something to keep: until then everything that can be wrong with a
 * config or its data has shown.
 * @throws InvalidArgumentError for a folder that holds other things, with `force` too, or no checkpoint to resume
 */
export async function openTrainingFolder(
  folder: string,
  { resume = false, force = false }: { readonly resume?: boolean; readonly force?: boolean },
): Promise<TrainingFolder> {
  const pathOf = (entry: keyof typeof entries) => join(folder, entries[entry])
  await mkdir(folder, { recursive: true })
  const found = await readdir(folder)
  const isStarted = found.includes(entries.checkpoint)
  if (resume && !isStarted) {
    throw new InvalidArgumentError(`${folder} holds no checkpoint to resume; start the training without --resume.`)
  }
  if (!resume && found.length > 0 && !(isStarted && force)) {
    const remedy = isStarted ? 'add --resume to go on with it or --force to start anew' : 'name an empty folder'
    throw new InvalidArgumentError(
      `${folder} ${isStarted ? 'holds a training' : 'holds no training and is not empty'}; ${remedy}.`,
    )
  }
  let isOutdated = isStarted && !resume
  return {
    checkpoint: resume ? await readFile(pathOf('checkpoint')) : null,
    pathOf,
    async write(path, content) {
      if (isOutdated) await removeTraining(folder)
      isOutdated = false
      await mkdir(dirname(path), { recursive: true })
      await writeFileAtomically(path, content, { replace: true })
    },
  }
}

async function removeTraining(folder: string): Promise<void> {
  for (const entry of Object.values(entries)) await rm(join(folder, entry), { recursive: true, force: true })
}
