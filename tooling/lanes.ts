import { spawn } from 'node:child_process'

/** One check. `run` resolves to its problems, as text to print; none means that it passed. */
export interface Step {
  readonly name: string
  run(signal: AbortSignal): Promise<readonly string[]>
}

/**
 * Runs lanes side by side and the steps of a lane one after the other, printing a line per step. The first step with
 * problems ends all lanes, and its problems are printed.
 *
 * @returns whether every step passed
 */
export async function runLanes(
  lanes: readonly (readonly Step[])[],
  print: (text: string) => void = console.log,
): Promise<boolean> {
  const failure = new AbortController()
  const runStep = async ({ name, run }: Step) => {
    const started = performance.now()
    const problems = await run(failure.signal)
    if (failure.signal.aborted) return
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    print(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
    if (problems.length === 0) return
    failure.abort()
    print(problems.join('\n'))
  }
  const runLane = async (steps: readonly Step[]) => {
    for (const step of steps) {
      if (!failure.signal.aborted) await runStep(step)
    }
  }
  await Promise.all(lanes.map(runLane))
  return !failure.signal.aborted
}

/** A step that runs a program in Node; its output is its problem when it exits with another status than 0. */
export function createProgramStep(name: string, program: string, args: readonly string[]): Step {
  return {
    name,
    run: (signal) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], signal })
        const output: string[] = []
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(String(data)))
        child.on('error', (error) => (signal.aborted ? resolve([]) : reject(error)))
        child.on('close', (status) => resolve(status === 0 ? [] : [output.join(''), `Exit status ${status}.`]))
      }),
  }
}
