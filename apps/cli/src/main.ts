#!/usr/bin/env node
import { SluiceError } from '@sluice/core'
import { CommanderError } from 'commander'
import { InterruptedError } from './context.ts'
import { createProgram } from './program.ts'

// `npm run` starts scripts in the repository's root; paths are relative to where the caller stands.
if (process.env.npm_package_name === 'sluice-monorepo' && process.env.INIT_CWD !== undefined) {
  process.chdir(process.env.INIT_CWD)
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, closes the pipe.
  if (error.code !== 'EPIPE') process.exitCode = explain(error)
})

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = explain(error)
}

/** Prints what went wrong in one line and gives the exit status: 1 the work failed, 2 wrong arguments. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof InterruptedError) {
    process.stderr.write('Interrupted; nothing half-written is left behind.\n')
    process.kill(process.pid, error.signal)
    return 1
  }
  if (process.argv.includes('--debug')) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
  const message = error instanceof Error ? error.message : String(error)
  const hint = SluiceError.isInstance(error) ? '' : ' Run it again with --debug to see where.'
  process.stderr.write(`sluice: ${message}${hint}\n`)
  return SluiceError.isInstance(error) && error.code === 'invalid-argument' ? 2 : 1
}
