import { vi } from 'vitest'
import { describeFailure } from '../describe-failure.ts'
import { createProgram } from '../program.ts'

/** What a run of the command left behind. */
export interface SluiceRun {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command in this process, as its executable does. */
export async function runSluice(...args: readonly string[]): Promise<SluiceRun> {
  const output = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      output[name] += String(chunk)
      return true
    }),
  )
  let status = 0
  try {
    await createProgram()
      .parseAsync([...args], { from: 'user' })
      .catch((error: unknown) => {
        const failure = describeFailure(error, args.includes('--debug'))
        status = failure.status
        if (failure.message !== null) output.stderr += `${failure.message}\n`
      })
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return { status, ...output }
}

/** Runs the command with `--json` and parses its answer. @throws Error when it failed or printed anything else */
export async function runSluiceForJson<T>(...args: readonly string[]): Promise<T> {
  const { status, stdout, stderr } = await runSluice(...args, '--json')
  if (status !== 0) throw new Error(`sluice ${args.join(' ')} ended with status ${status}: ${stderr}`)
  return JSON.parse(stdout)
}
