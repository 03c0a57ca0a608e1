import { SluiceError } from '@sluice/core'
import { CommanderError } from 'commander'
import { InterruptedError } from './context.ts'

/** How a run that failed ends. */
export interface Failure {
  /** Exit status: 1 the work failed, 2 wrong arguments; 0 where help or the version was asked for. */
  readonly status: 0 | 1 | 2
  /** What to print on standard error; null where that has been done. */
  readonly message: string | null
  /** The signal by which the process is to end instead; null for none. */
  readonly signal: NodeJS.Signals | null
}

/** What a failure means for the user: one line that says how to mend it, above it the stack only for `debug`. */
export function describeFailure(error: unknown, debug: boolean): Failure {
  if (error instanceof CommanderError) return { status: error.exitCode === 0 ? 0 : 2, message: null, signal: null }
  if (error instanceof InterruptedError) {
    return { status: 1, message: 'Interrupted; nothing half-written is left behind.', signal: error.signal }
  }
  const isExpected = SluiceError.isInstance(error)
  const stack = debug ? `${error instanceof Error ? error.stack : error}\n` : ''
  const hint = isExpected || debug ? '' : '. Run it again with --debug to see where.'
  return {
    status: isExpected && error.code === 'invalid-argument' ? 2 : 1,
    message: `${stack}sluice: ${isExpected ? error.message : toOneLine(error)}${hint}`,
    signal: null,
  }
}

/** Other people's errors may have several lines, and a full stop or none. */
function toOneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
}
