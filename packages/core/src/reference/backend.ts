import type { Activation, Backend, DeviceScores, StagedModel } from '../backend.ts'
import { checkBatch } from '../batch.ts'
import type { Bundle, BundleManifest } from '../bundle.ts'
import { DisposedError, InvalidArgumentError, UnsupportedBundleError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { applyLayers, joinScores, type ReferenceStage, splitRows } from './network.ts'

/** A backend in plain TypeScript, row by row: slow, and simple enough to be the measure of all others. */
export function createReferenceBackend(): Backend {
  const name = 'reference'
  return {
    specVersion: 'v1',
    name,
    capabilities: { formats: ['reference'], device: 'cpu' },
    async load(bundle) {
      const { manifest } = bundle
      if (manifest.format !== 'reference') {
        throw new UnsupportedBundleError(name, `its format is '${manifest.format}', not 'reference'.`)
      }
      return createReferenceModel(
        manifest,
        await Promise.all(manifest.stages.map(({ file }) => readStage(bundle, file))),
      )
    },
  }
}

async function readStage(bundle: Bundle, file: string): Promise<ReferenceStage> {
  return JSON.parse(new TextDecoder().decode(await bundle.read(file))) as ReferenceStage
}

function createReferenceModel(manifest: BundleManifest, stages: readonly ReferenceStage[]): StagedModel {
  const { input, classes } = manifest
  /** Every handle given out and not yet disposed, with the rows it stands for. */
  const live = new Map<object, readonly Float32Array[]>()
  let disposed = false

  function checkLoaded(): void {
    if (disposed) throw new DisposedError('A reference model')
  }

  function getRows(what: string, handle: object): readonly Float32Array[] {
    checkLoaded()
    const rows = live.get(handle)
    if (rows === undefined) throw new DisposedError(what)
    return rows
  }

  function createActivation(values: readonly Float32Array[]): Activation {
    const handle = { rows: values.length, dispose: () => void live.delete(handle) }
    live.set(handle, values)
    return handle
  }

  function createScores(values: readonly Float32Array[]): DeviceScores {
    const handle = {
      rows: values.length,
      read: async () => joinScores(getRows('Class scores', handle), classes.length),
      dispose: () => void live.delete(handle),
    }
    live.set(handle, values)
    return handle
  }

  return {
    specVersion: 'v1',
    network: { input, classCount: classes.length, stages: manifest.stages.map(({ macs }) => ({ macs })) },
    get liveHandles() {
      return live.size
    },
    async upload(batch) {
      checkLoaded()
      const rows = checkBatch(batch, input)
      return createActivation(splitRows((batch as Tensor<'float32'>).data, rows))
    },
    async runStage(index, activation) {
      const rows = getRows('An activation', activation)
      const stage = stages[index]
      if (stage === undefined)
        throw new InvalidArgumentError(`Stage ${index} does not exist; there are ${stages.length}.`)
      const { layers, head } = stage
      const outputs = rows.map((row) => applyLayers(layers, row))
      if (head === null) return { activation: null, scores: createScores(outputs) }
      return {
        activation: createActivation(outputs),
        scores: createScores(outputs.map((row) => applyLayers(head, row))),
      }
    },
    async selectRows(activation, rows) {
      const values = getRows('An activation', activation)
      return createActivation(Array.from(rows, (row) => getRow(values, row)))
    },
    async dispose() {
      disposed = true
    },
  }
}

function getRow(values: readonly Float32Array[], row: number): Float32Array {
  const value = values[row]
  if (value === undefined) throw new InvalidArgumentError(`Row ${row} does not exist; there are ${values.length}.`)
  return value
}
