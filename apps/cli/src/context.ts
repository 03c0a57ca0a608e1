import { availableParallelism } from 'node:os'
import type { ProgressEvent } from '@sluice/app-train'
import { createProgressDisplay } from './progress.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly threads: number
  readonly seed: number
  readonly debug?: boolean
}

/** What a command needs besides its own options. */
export interface CommandContext {
  readonly options: GlobalOptions
  readonly signal: AbortSignal
  readonly onProgress: (event: ProgressEvent) => void
  /** Prints a message to standard error. */
  readonly note: (message: string) => void
}

/** What a command answers: one object for `--json`, lines for people. */
export interface CommandResult {
  readonly json: unknown
  readonly lines: readonly string[]
}

export const defaultThreads = availableParallelism()

/** How commands are run: {@link runCommand} for people, another one where a command runs others. */
export type CommandRunner = (
  options: GlobalOptions,
  command: (context: CommandContext) => Promise<CommandResult>,
) => Promise<void>

/** A signal ended the work, which has been taken back; the process then ends by the same signal. */
export class InterruptedError extends Error {
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`Ended by ${signal}.`)
    this.signal = signal
  }
}

const endingSignals = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs a command and prints what it answers. Ctrl-C and SIGTERM become an abort signal, so that the command takes back
 * what it has begun; a second one ends the process at once.
 * @throws InterruptedError when a signal came, and what the command throws
 */
export const runCommand: CommandRunner = async (options, command) => {
  const interruption = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => interruption.abort(new InterruptedError(signal))
  const progress = createProgressDisplay(process.stderr)
  for (const signal of endingSignals) process.once(signal, onSignal)
  try {
    const note = (message: string) => {
      progress.stop()
      process.stderr.write(`${message}\n`)
    }
    const result = await command({ options, signal: interruption.signal, onProgress: progress.report, note })
    progress.stop()
    process.stdout.write(options.json ? `${JSON.stringify(result.json)}\n` : `${result.lines.join('\n')}\n`)
    interruption.signal.throwIfAborted()
  } finally {
    progress.stop()
    for (const signal of endingSignals) process.off(signal, onSignal)
  }
}
