import { availableParallelism } from 'node:os'
import type { ProgressEvent } from '@sluice/app-train'
import { InvalidArgumentError } from '@sluice/core'
import { createProgressDisplay } from './progress.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json: boolean
  readonly threads: number
  readonly seed: number
  readonly debug: boolean
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

/** Runs a command with Ctrl-C turned into an abort signal, and prints what it answers. */
export const runCommand: CommandRunner = async (options, command) => {
  const interruption = new AbortController()
  const onInterrupt = () => interruption.abort(new InterruptedError())
  const progress = createProgressDisplay(process.stderr)
  process.once('SIGINT', onInterrupt)
  try {
    const note = (message: string) => {
      progress.stop()
      process.stderr.write(`${message}\n`)
    }
    const result = await command({ options, signal: interruption.signal, onProgress: progress.report, note })
    progress.stop()
    process.stdout.write(options.json ? `${JSON.stringify(result.json)}\n` : `${result.lines.join('\n')}\n`)
  } finally {
    progress.stop()
    process.off('SIGINT', onInterrupt)
  }
}

/** Ctrl-C. The work has been taken back; the process then ends by the same signal. */
export class InterruptedError extends Error {}

/** Parses a whole number of at least `lowest`, for commander's option parsers. */
export function parseCount(name: string, lowest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= lowest) return value
    throw new InvalidArgumentError(`${name} ${text} is not a whole number from ${lowest} on.`)
  }
}

/** Parses a number in `lowest..highest`. */
export function parseNumber(name: string, lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= lowest && value <= highest) return value
    throw new InvalidArgumentError(`${name} ${text} is not a number from ${lowest} to ${highest}.`)
  }
}

/** Parses comma-separated numbers. */
export function parseNumberList(name: string): (text: string) => readonly number[] {
  return (text) => {
    const values = text.split(',').map(Number)
    if (text !== '' && values.every(Number.isFinite)) return values
    throw new InvalidArgumentError(`${name} ${text} is not a list of numbers such as 0.485,0.456,0.406.`)
  }
}
