import { join } from 'node:path'
import type { z } from 'zod'
import { type Command, expandPlaces, formatCommand, type Places, runCommand } from './command.ts'
import { type DataStrings, describeData } from './describe-data.ts'
import type { NetworkSpec } from './networks.ts'
import type { Scale } from './scale.ts'
import { createSteps } from './steps.ts'

/** What one run is about and what it may use. */
export interface RunOptions {
  readonly spec: NetworkSpec
  readonly scale: Scale
  /** `WORK` for everything that the run writes, `DATA`, `SHARED` for given models, `WEIGHTS` for torchvision's file. */
  readonly places: Places
  /** The Python interpreter with PyTorch. */
  readonly python: string
  /** Options of every `sluice attach`, e.g. its memory. */
  readonly attach: readonly string[]
  readonly onMessage: (message: string) => void
}

/** A run under way. */
export interface Run extends RunOptions {
  readonly data: DataStrings
  /** What ran so far, in order. */
  readonly commands: readonly { readonly command: string; readonly seconds: number }[]
  /** Runs a command as a step of that name and reads its answer. @throws Error where it fails or answers otherwise */
  perform<T>(name: string, command: Command, schema: z.ZodType<T>): Promise<T>
}

/** Steps that ended are kept in `$WORK/steps`. */
export function startRun(options: RunOptions): Run {
  const { spec, scale, places, python, onMessage } = options
  const commands: { command: string; seconds: number }[] = []
  const steps = createSteps(join(expandPlaces('$WORK', places), 'steps'), onMessage)
  return {
    ...options,
    data: describeData(spec, scale),
    commands,
    async perform(name, command, schema) {
      const work = async () => schema.parse(await runCommand(command, places, python))
      const step = await steps.run(name, formatCommand(command), work)
      commands.push({ command: step.command, seconds: step.seconds })
      return schema.parse(step.answer)
    },
  }
}
