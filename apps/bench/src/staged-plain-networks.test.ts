import type { Backend, BundleManifest } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { createStagedPlainNetworks } from './staged-plain-networks.ts'

/**
 * A backend whose scores are the rows' count, and which writes down what it loads and what is read and alive.
 * @param loadLimit how many bundles it loads before it fails
 */
function createRecordingBackend(device: 'cpu' | 'gpu' = 'cpu', loadLimit = 10) {
  const seen = { loaded: [] as BundleManifest[], read: 0, alive: 0, disposed: 0 }
  const createHandle = (rows: number) => {
    seen.alive++
    return { rows, dispose: () => void seen.alive-- }
  }
  const backend: Backend = {
    specVersion: 'v1',
    name: 'recording',
    capabilities: { formats: ['tfjs-layers'], device },
    async load({ manifest }) {
      if (seen.loaded.length === loadLimit) throw new Error('out of memory')
      seen.loaded.push(manifest)
      return {
        specVersion: 'v1',
        network: { input: manifest.input, classCount: manifest.classes.length, stages: manifest.stages },
        liveHandles: 0,
        upload: async ({ dims }) => createHandle(dims[0] ?? 0),
        async runStage(_, { rows }) {
          const read = async () => {
            seen.read++
            return { data: Float32Array.of(rows), rows, classCount: 1 }
          }
          return { activation: null, scores: { ...createHandle(rows), read } }
        },
        selectRows: async (activation) => activation,
        async dispose() {
          seen.disposed++
        },
      }
    },
  }
  return { backend, seen }
}

const createSource = () =>
  createReferenceBundle(createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2, 3], classCount: 2 }))

const images = { type: 'float32', dims: [4, 2], data: new Float32Array(8) } as const

it('loads bundles of one stage, without gates, that end at each cut and at the scores', async () => {
  const source = await createSource()
  const { stages, macs } = source.manifest
  const { backend, seen } = createRecordingBackend()
  const networks = createStagedPlainNetworks(source, backend)

  const truncated = await networks.loadTruncated()
  const file = stages[0]?.file
  const described = seen.loaded.map(({ stages, gates }) => ({ stages, gates: gates.length }))
  const ends = [stages[0]?.output, stages[1]?.output, stages[2]?.scores]
  expect(described).toEqual(
    ends.map((scores) => ({
      stages: [
        { file, macs: { backbone: macs, head: 0 }, input: stages[0]?.input, output: null, outputShape: null, scores },
      ],
      gates: 0,
    })),
  )

  for (const { run } of truncated) await run(images)
  expect(seen).toMatchObject({ read: 1, alive: 0 })
  const full = await networks.loadFull()
  expect(seen.loaded[3]).toEqual(seen.loaded[2])
  expect(await full.run(images)).toEqual({ data: Float32Array.of(4), rows: 4, classCount: 1 })
  for (const { release } of [full, ...truncated]) await release()
  expect(seen).toMatchObject({ alive: 0, disposed: 4 })
})

it('waits for what a truncated network yields where a GPU computes it after the call', async () => {
  const { backend, seen } = createRecordingBackend('gpu')
  for (const { run } of await createStagedPlainNetworks(await createSource(), backend).loadTruncated()) {
    await run(images)
  }
  expect(seen).toMatchObject({ read: 3, alive: 0 })
})

it('releases what it has loaded when a later network does not load', async () => {
  const { backend, seen } = createRecordingBackend('cpu', 2)
  const networks = createStagedPlainNetworks(await createSource(), backend)
  await expect(networks.loadTruncated()).rejects.toThrow('out of memory')
  expect(seen).toMatchObject({ loaded: { length: 2 }, disposed: 2 })
})
