import { access } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { openTfjsNetwork } from '@sluice/adapter-tfjs'
import { createOnnxNetwork, createTfjsFrozenNetwork, type FrozenNetwork } from '@sluice/app-train'
import { readOnnxFile } from '@sluice/onnx-graph/node'
import { type BackendOptions, createEngine, openTfjs } from './backends.ts'
import type { CommandContext } from './context.ts'
import { readTfjsFiles } from './tfjs-files.ts'

/** What is said of a model on the command line. */
export interface OpenNetworkOptions extends BackendOptions {
  /** Shape of the input, batch included, where the file leaves more than the batch open. */
  readonly inputShape?: readonly number[] | undefined
  /** False where the network is looked at and never run: any backend will do then, and the lightest is taken. */
  readonly runs?: boolean
}

/** A trained network that was opened, with a name for its bundle. */
export interface OpenedNetwork {
  readonly network: FrozenNetwork
  readonly name: string
}

/**
 * Opens a trained network, hands it to `work`, and frees it whatever happens: an ONNX file, or a TensorFlow.js model
 * where the path ends in `.json` or is a folder with a `model.json`.
 */
export async function withNetwork<T>(
  path: string,
  context: CommandContext,
  options: OpenNetworkOptions,
  work: (opened: OpenedNetwork) => Promise<T>,
): Promise<T> {
  const { inputShape, runs = true } = options
  const tfjsPath = await findTfjsModel(path)
  if (tfjsPath === null) {
    const shape = inputShape === undefined ? {} : { inputShape }
    const network = createOnnxNetwork(await readOnnxFile(path), createEngine(context, options), shape)
    return work({ network, name: basename(path).replace(/\.onnx$/i, '') })
  }
  const files = await readTfjsFiles(tfjsPath)
  const tf = await openTfjs(context, runs ? options : { backend: 'cpu' })
  const network = await openTfjsNetwork(tf, files, { inputShape })
  try {
    return await work({ network: createTfjsFrozenNetwork(network), name: nameTfjsModel(tfjsPath) })
  } finally {
    network.dispose()
  }
}

/** Path of the model's `model.json`; null for a model of another format. */
async function findTfjsModel(path: string): Promise<string | null> {
  if (/\.json$/i.test(path)) return path
  const inside = join(path, 'model.json')
  return access(inside).then(
    () => inside,
    () => null,
  )
}

/** Every model's file is called `model.json`, so its folder tells what it is. */
function nameTfjsModel(path: string): string {
  const name = basename(path).replace(/\.json$/i, '')
  return name === 'model' ? basename(dirname(resolve(path))) : name
}
