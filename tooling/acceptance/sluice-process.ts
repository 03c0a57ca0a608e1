import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const main = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))
const recorder = pathToFileURL(fileURLToPath(new URL('./record-peak-memory.mjs', import.meta.url))).href

/** What a run of the command answered, and the most memory it held. */
export interface SluiceRun<T> {
  readonly json: T
  readonly peakMemoryBytes: number
}

/** Runs the built `sluice` command as a user would, with `--json`. @throws Error with the command's own message when it fails */
export async function runSluice<T>(args: readonly string[]): Promise<SluiceRun<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-acceptance-'))
  const memoryFile = join(folder, 'peak')
  try {
    const output = await run(['--import', recorder, main, ...args, '--json'], memoryFile)
    return { json: JSON.parse(output), peakMemoryBytes: Number(await readFile(memoryFile, 'utf8')) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function run(args: readonly string[], memoryFile: string): Promise<string> {
  const env = { ...process.env, SLUICE_PEAK_MEMORY_FILE: memoryFile }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let messages = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    messages += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve(output)
      else reject(new Error(`sluice ${args.slice(3).join(' ')} ended with status ${status}:\n${messages}`))
    })
  })
}
