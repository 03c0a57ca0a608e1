/**
 * Brings in what a checkout lacks, then runs: `node tooling/bootstrap.mjs start|test|build [ARGS]`.
 * Runs before anything is installed, so it imports Node's own modules alone.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }

/** A failure that has been put into words: its message is all that is printed. */
class BootstrapError extends Error {}

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const tasks = {
  async start(args) {
    await build([])
    return run(process.execPath, [join('apps', 'cli', 'dist', 'main.js'), 'demo', ...args])
  },
  test: (args) => run(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...args]),
  async build(args) {
    await build(args)
    return 0
  },
}

/** @param {string} file @returns {any} */
function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

function checkNodeVersion() {
  const needed = readJson('package.json').engines.node
  const actual = process.versions.node
  if (Number.parseInt(actual, 10) >= Number.parseInt(needed.replace('>=', ''), 10)) return
  throw new BootstrapError(`Node ${needed} is needed, this is ${actual}. Install a newer one from https://nodejs.org.`)
}

/** Whether node_modules holds what package-lock.json asks for; packages for other platforms may be absent. */
function isInstalled() {
  const wanted = readJson('package-lock.json').packages
  let installed
  try {
    installed = readJson('node_modules/.package-lock.json').packages
  } catch {
    return false // absent, or left behind by an interrupted installation
  }
  return Object.keys(wanted).every((path) => {
    if (path === '' || wanted[path].optional) return true
    return installed[path] !== undefined && installed[path].version === wanted[path].version
  })
}

async function install() {
  if (isInstalled()) return
  // npm names its own script here, which spares Windows the shell that npm.cmd needs.
  const npm = process.env.npm_execpath
  const [command, ...args] = npm ? [process.execPath, npm] : ['npm']
  const hint = 'Check the connection to the npm registry (npm ping) and the free disk space, then run this again.'
  await runQuietly('Installing dependencies', command, [...args, 'ci', '--include=dev'], hint)
}

/** @param {string[]} args */
async function build(args) {
  const turbo = join('node_modules', 'turbo', 'bin', 'turbo')
  await runQuietly('Building what changed', process.execPath, [turbo, 'run', 'build', ...args], 'Mend the error above.')
}

/**
 * Runs a command with its output held back; shows the last lines of it only when the command fails.
 * @param {string} title @param {string} command @param {string[]} args @param {string} hint
 */
async function runQuietly(title, command, args, hint) {
  const started = Date.now()
  process.stderr.write(`${title} … `)
  const lines = /** @type {string[]} */ ([])
  const status = await run(command, args, (text) => lines.push(text))
  process.stderr.write(`${status === 0 ? 'done' : 'failed'} in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
  if (status === 0) return
  const tail = lines.join('').trimEnd().split('\n').slice(-30).join('\n')
  throw new BootstrapError(`${tail}\n\n${title} failed with status ${status}. ${hint}`)
}

/**
 * Runs a command in the root of the checkout and resolves to its exit status.
 * @param {string} command @param {string[]} args
 * @param {(text: string) => void} [collect] takes the output, which is shown as it comes otherwise
 * @returns {Promise<number>}
 */
function run(command, args, collect) {
  return new Promise((resolve, reject) => {
    const stdio = collect ? 'pipe' : 'inherit'
    const child = spawn(command, args, { cwd: root, env: environment, stdio })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => collect?.(String(data)))
    process.once('SIGTERM', () => child.kill())
    child.on('error', (error) => reject(new BootstrapError(`${command} cannot be started: ${error.message}`)))
    child.on('close', (status) => resolve(status ?? 1))
  })
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2)
  const task = tasks[name]
  if (!task) throw new BootstrapError(`Unknown task '${name}'; choose one of ${Object.keys(tasks).join(', ')}.`)
  checkNodeVersion()
  await install()
  process.exitCode = await task(args)
}

// Ctrl-C reaches the child too; waiting for it lets the child clean up and keeps its last words above the prompt.
process.on('SIGINT', () => {})
main().catch((error) => {
  console.error(error instanceof BootstrapError ? error.message : error)
  process.exitCode = 1
})
