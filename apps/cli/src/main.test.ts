import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoModelFile } from './demo-model.ts'
import { writeAt, writeTinyNetwork } from './testing/tiny-files.ts'

/** The executable as a process of its own: exit status, signals, streams and folders. */

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const tsx = pathToFileURL(resolve('node_modules/tsx/dist/esm/index.mjs')).href

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-main-'))
  await mkdir(join(folder, 'below'))
  await writeTinyNetwork(join(folder, 'below'), 'tiny.onnx')
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Where standard output goes; a pipe when absent. */
  readonly stdout?: 'pipe' | number
}

function start(args: readonly string[], { environment = {}, stdout = 'pipe' }: StartOptions = {}): ChildProcess {
  const { npm_package_name: _, INIT_CWD: __, ...inherited } = process.env
  return spawn(process.execPath, ['--conditions=@sluice/source', '--import', tsx, main, ...args], {
    cwd: folder,
    env: { ...inherited, ...environment },
    stdio: ['ignore', stdout, 'pipe'],
  })
}

async function waitFor(child: ChildProcess) {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk
  })
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...end) => resolve(end))
  })
  return { status, signal, ...output }
}

describe.concurrent('the executable', () => {
  it('succeeds with status 0 and shows an example with every command', async () => {
    const { status, stdout } = await waitFor(start(['attach', '--help']))
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Usage: sluice attach \[options\] <model>\n/)
    expect(stdout).toMatch(/Example:\n {2}\$ sluice attach /)
  })

  it('fails with status 1 and one line, with the stack only for --debug', async () => {
    const [plain, debug] = await Promise.all([
      waitFor(start(['inspect', 'none.onnx'])),
      waitFor(start(['inspect', 'none.onnx', '--debug'])),
    ])
    expect(plain).toMatchObject({ status: 1, stdout: '' })
    expect(plain.stderr).toMatch(/^sluice: none\.onnx cannot be read.*\n$/)
    expect(debug.status).toBe(1)
    expect(debug.stderr).toMatch(/\n {4}at /)
    expect(debug.stderr.endsWith(plain.stderr)).toBe(true)
  })

  it('takes paths relative to the folder where npm was called', async () => {
    const npm = { npm_package_name: 'sluice-monorepo', INIT_CWD: join(folder, 'below') }
    const { status, stdout } = await waitFor(start(['inspect', 'tiny.onnx', '--json'], { environment: npm }))
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toHaveProperty('cuts')
  })

  it('ends quietly when the reader of its answer has gone', async () => {
    const child = start(['inspect', 'below/tiny.onnx'])
    child.stdout?.destroy()
    expect(await waitFor(child)).toMatchObject({ status: 0, stderr: '' })
  })

  it('ends by the signal and leaves nothing behind when interrupted', async () => {
    const place = join(folder, 'interrupted')
    await mkdir(place)
    const normalisation = ['--mean', '0.5,0.5,0.5', '--std', '0.25,0.25,0.25']
    const options = ['--data', 'glyphs', '--out', join(place, 'glyphs.sluice'), ...normalisation]
    // Features that do not fit into memory go to temporary files, which must vanish too.
    const environment = { TMPDIR: place }
    const child = start(['attach', demoModelFile, ...options, '--memory', '0.01'], { environment })
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const { status, signal, stdout, stderr } = await waitFor(child)
    expect({ status, signal, stdout }).toEqual({ status: null, signal: 'SIGINT', stdout: '' })
    expect(stderr).toMatch(/^forward pass: [^\n]*\nInterrupted; nothing half-written is left behind\.\n$/)
    expect((await readdir(place)).filter((name) => !name.startsWith('tsx-'))).toEqual([])
  })
  it('keeps a checkpoint of an interrupted training and says how to go on', async () => {
    const config = {
      network: { kind: 'plain', layers: [2, 'pool', 'pool', 2], classes: 10, input: [32, 32, 3] },
      data: 'glyphs?split=train&limit=64',
      epochs: 1000,
      batch: 16,
      backend: 'cpu',
    }
    await writeAt(join(folder, 'train.json'), JSON.stringify(config))
    const child = start(['train', 'train.json', '--out', 'trained'])
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const { status, signal, stderr } = await waitFor(child)
    expect({ status, signal }).toEqual({ status: null, signal: 'SIGINT' })
    expect(stderr).toContain('Go on with: sluice train train.json --out trained --resume\n')
    expect(await readdir(join(folder, 'trained'))).toContain('checkpoint.bin')
  })
})
