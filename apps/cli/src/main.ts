#!/usr/bin/env node
import { describeFailure } from './describe-failure.ts'
import { createProgram } from './program.ts'

// `npm run` starts scripts in the repository's root; paths are relative to where the caller stands.
if (process.env.npm_package_name === 'sluice-monorepo' && process.env.INIT_CWD !== undefined) {
  process.chdir(process.env.INIT_CWD)
}

// ONNX Runtime reports its use to its makers unless this is set before it is loaded.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, closes the pipe.
  if (error.code !== 'EPIPE') end(error)
})

await createProgram().parseAsync(process.argv).catch(end)

function end(error: unknown): void {
  const { status, message, signal } = describeFailure(error, process.argv.includes('--debug'))
  if (message !== null) process.stderr.write(`${message}\n`)
  process.exitCode = status
  if (signal !== null) process.kill(process.pid, signal)
}
