import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** One program to run. Arguments hold `$NAME` for a place on this machine, so that commands can be published. */
export interface Command {
  readonly program: 'sluice' | 'python'
  readonly args: readonly string[]
}

/** Absolute paths by name. */
export type Places = Readonly<Record<string, string>>

/** From source, so that what runs is what the commit says. */
const sluiceProgram = [
  '--import',
  import.meta.resolve('tsx'),
  '--conditions=@sluice/source',
  fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url)),
]
const scripts = fileURLToPath(new URL('.', import.meta.url))

/** The command as one would type it, e.g. `sluice bench $WORK/best.sluice --data cifar10:$DATA?split=test`. */
export function formatCommand({ program, args }: Command): string {
  return [program, ...args].map((word) => (/[&?*\s]/.test(word) ? `"${word}"` : word)).join(' ')
}

/** `$NAME` replaced by the place of that name. @throws Error for a name without a place */
export function expandPlaces(text: string, places: Places): string {
  return text.replace(/\$([A-Z]+)/g, (_, name: string) => {
    const place = places[name]
    if (place === undefined) throw new Error(`There is no place $${name} in '${text}'.`)
    return place
  })
}

/**
 * Runs a command; its messages go to standard error.
 *
 * @param python the interpreter of `python` commands, whose scripts lie in this folder
 * @returns the JSON object on its standard output
 * @throws Error when it cannot be started, fails, or prints anything else
 */
export async function runCommand(command: Command, places: Places, python: string): Promise<unknown> {
  const args = command.args.map((argument) => expandPlaces(argument, places))
  const output =
    command.program === 'sluice'
      ? await run(process.execPath, [...sluiceProgram, ...args, '--json'], process.cwd())
      : await run(python, args, scripts)
  try {
    return JSON.parse(output)
  } catch (cause) {
    throw new Error(`${formatCommand(command)} printed no JSON but '${output.slice(0, 200)}'.`, { cause })
  }
}

function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`${program} cannot be started: ${cause.message}`, { cause })))
    child.on('close', (status, signal) => {
      if (status === 0) resolve(output)
      else reject(new Error(`${program} ended with ${signal ?? `status ${status}`}; its message stands above.`))
    })
  })
}
