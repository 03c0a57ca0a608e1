import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A step could not be done; the message says why and what to do. */
export class BuildError extends Error {}

/** 4.22.0 is the last release; its addon compiles against the C API of TensorFlow 2.21. */
const tfjsNodeVersion = '4.22.0'
const tensorflowVersion = '2.21'
const nodeGypVersion = '11'

/** Programs that the build runs, with what brings them. */
const programs = {
  npm: 'It comes with Node: https://nodejs.org.',
  python3: "Install Python 3.10 or later, e.g. 'apt-get install python3 python3-pip'.",
  make: "Install it, e.g. 'apt-get install build-essential'.",
  'g++': "Install a C++ compiler, e.g. 'apt-get install build-essential'.",
}

/** @throws BuildError where the platform has no such wheel or a program is missing */
export function checkPrerequisites(): void {
  if (process.platform !== 'linux') {
    throw new BuildError(
      `This build is for Linux; on ${process.platform} 'npm install @tensorflow/tfjs-node' fetches a ready addon.`,
    )
  }
  for (const [name, hint] of Object.entries(programs)) {
    if (spawnSync(name, ['--version']).error) throw new BuildError(`${name} is not on the PATH. ${hint}`)
  }
}

/** By this name in its package.json a folder is known as one of this build. */
const buildName = 'sluice-tfjs-node-build'

/**
 * Makes the folder one of this build; one that was stays as it is.
 * @throws BuildError where it holds anything of others
 */
export function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const packageFile = join(folder, 'package.json')
  if (existsSync(packageFile) && readName(packageFile) === buildName) return
  if (readdirSync(folder).length > 0) {
    throw new BuildError(`${folder} holds files that are not of this build. Name an empty folder, or empty this one.`)
  }
  writeFileSync(packageFile, `${JSON.stringify({ name: buildName, private: true })}\n`)
}

function readName(packageFile: string): unknown {
  try {
    return JSON.parse(readFileSync(packageFile, 'utf8')).name
  } catch {
    return undefined
  }
}

/** Installs the JavaScript of tfjs-node and node-gyp into the claimed folder; install scripts stay off. */
export function installPackages(folder: string): void {
  const packages = [`@tensorflow/tfjs-node@${tfjsNodeVersion}`, `node-gyp@${nodeGypVersion}`]
  const hint = 'It needs the npm registry; where that is out of reach, this build is not possible.'
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], folder, hint)
}

/**
 * Fetches TensorFlow's wheel with pip.
 * @returns its path, in a folder of its own below `folder`
 */
export function downloadWheel(folder: string): string {
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) {
    throw new BuildError("python3 has no pip. Install it, e.g. 'apt-get install python3-pip', or pass --wheel FILE.")
  }
  const destination = join(folder, 'download')
  rmSync(destination, { recursive: true, force: true })
  const options = ['--no-deps', '--only-binary=:all:', '--dest', destination]
  const hint =
    'It needs the Python package index; where that is out of reach, pass a wheel that you have as --wheel FILE.'
  run('python3', ['-m', 'pip', 'download', ...options, `tensorflow-cpu==${tensorflowVersion}`], folder, hint)
  const [wheel] = readdirSync(destination)
  if (wheel === undefined) throw new BuildError('pip downloaded nothing.')
  return join(destination, wheel)
}

const unpackLibraries = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = ('tensorflow/include/', 'tensorflow/libtensorflow')
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
`

/** Unpacks the wheel's headers and libraries and links them to where the addon's build looks for them. */
export function linkTensorflow(folder: string, wheel: string): void {
  const hint = 'The file must be a wheel of tensorflow-cpu; fetch it again.'
  run('python3', ['-c', unpackLibraries, wheel, folder], folder, hint)
  const tensorflow = join(folder, 'tensorflow')
  const dependencies = join(addonFolder(folder), 'deps')
  rmSync(dependencies, { recursive: true, force: true })
  mkdirSync(join(dependencies, 'lib'), { recursive: true })
  symlinkSync(join(tensorflow, 'include'), join(dependencies, 'include'))
  for (const [library, name] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ] as const) {
    const file = join(tensorflow, library)
    if (!existsSync(file)) throw new BuildError(`${wheel} has no ${library}. ${hint}`)
    // The linker takes the plain name, the loader the one with the version.
    for (const link of [name, library]) symlinkSync(file, join(dependencies, 'lib', link))
  }
}

/** Compiles the addon with node-gyp. */
export function compileAddon(folder: string): void {
  const variables = ['module_name=tfjs_binding', 'module_path=./lib/napi-v8', 'napi_version=8', 'napi_build_version=8']
  const nodeGyp = join(folder, 'node_modules/node-gyp/bin/node-gyp.js')
  const args = [nodeGyp, 'rebuild', ...nodeHeaders(), '--', ...variables.map((variable) => `-D${variable}`)]
  const hint =
    "The compiler's message is above; headers of Node come from nodejs.org where they are not installed beside it."
  run(process.execPath, args, addonFolder(folder), hint)
}

/** Loads what was built in a process of its own and multiplies two matrices on it. */
export function tryAddon(folder: string): void {
  const program = `
    const tf = require('@tensorflow/tfjs-node')
    const four = tf.matMul(tf.ones([1, 4]), tf.ones([4, 1])).dataSync()[0]
    if (tf.getBackend() !== 'tensorflow' || four !== 4) throw new Error(tf.getBackend() + ' computed ' + four)`
  run(
    process.execPath,
    ['-e', program],
    folder,
    'The addon was built but does not work; tfjs-node 4.22 needs Node 22 or older.',
  )
}

function addonFolder(folder: string): string {
  return join(folder, 'node_modules/@tensorflow/tfjs-node')
}

/** Headers that were installed with this Node; without them node-gyp downloads them. */
function nodeHeaders(): string[] {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

/** Runs a program that prints to this terminal. @throws BuildError with the hint where it fails */
function run(program: string, args: readonly string[], cwd: string, hint: string): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  const command = [program, ...args.filter((arg) => !arg.includes('\n'))].join(' ')
  throw new BuildError(`'${command}' failed (${error?.message ?? `exit status ${status}`}). ${hint}`)
}
