/**
 * Builds `@tensorflow/tfjs-node` from source against TensorFlow from pip, outside this repository's lockfile:
 *
 *     npx tsx tooling/tfjs-node/build.ts [FOLDER] [--wheel tensorflow_cpu-….whl]
 *
 * FOLDER, empty or of an earlier build, is `node_modules/.cache/tfjs-node` where none is named; a wheel may also be named by the environment variable
 * `SLUICE_TENSORFLOW_WHEEL`. Needs about 1.5 GB.
 */
import { existsSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultTfjsNodeFolder } from './folder.ts'
import {
  BuildError,
  checkPrerequisites,
  claimFolder,
  compileAddon,
  downloadWheel,
  installPackages,
  linkTensorflow,
  tryAddon,
} from './steps.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { wheel: { type: 'string' } } })
const folder = resolve(positionals[0] ?? defaultTfjsNodeFolder)
const givenWheel = values.wheel ?? process.env.SLUICE_TENSORFLOW_WHEEL

try {
  const startMs = performance.now()
  if (givenWheel && !existsSync(givenWheel)) throw new BuildError(`There is no wheel at ${resolve(givenWheel)}.`)
  checkPrerequisites()
  claimFolder(folder)
  installPackages(folder)
  const wheel = givenWheel ? resolve(givenWheel) : downloadWheel(folder)
  linkTensorflow(folder, wheel)
  if (!givenWheel) rmSync(dirname(wheel), { recursive: true })
  compileAddon(folder)
  tryAddon(folder)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  console.log(`Built in ${seconds} s. Use it with:\n  export SLUICE_TFJS_NODE=${folder}`)
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
