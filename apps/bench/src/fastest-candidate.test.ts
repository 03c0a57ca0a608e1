import type { Backend, Bundle, BundleManifest, StagedModel } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, it } from 'vitest'
import { findFastestCandidate } from './fastest-candidate.ts'
import { useFakeClock } from './testing/fake-clock.ts'

const clock = useFakeClock()

/** Two gates between three stages of one node each. */
async function createSource(): Promise<Bundle> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2, 2], classCount: 2 })
  const { manifest } = await createReferenceBundle(network)
  const stages = manifest.stages.map((stage, index) => ({ ...stage, ...createStageNames(index) }))
  const files = new Map(stages.map((stage) => [stage.file, createStage(stage.input, stage.output ?? stage.scores)]))
  return {
    manifest: { ...manifest, format: 'onnx', stages },
    read: async (path) => files.get(path) ?? new Uint8Array(),
  }
}

function createStageNames(index: number) {
  return { input: `cut${index}`, output: index < 2 ? `cut${index + 1}` : null, scores: `scores${index}` }
}

function createStage(input: string, output: string): Uint8Array {
  const builder = createGraphBuilder({ name: output })
  builder.input(input, 'float32', ['batch', 2])
  builder.node('Relu', [input], {}, output)
  builder.output(output, 'float32', ['batch', 2])
  return writeOnnxModel(builder.buildModel())
}

/** Manifests with none, the first, and both gates on; scores of 0.5 never leave. */
function createCandidates({ manifest }: Bundle): BundleManifest[] {
  return [0, 1, 2].map((count) => ({
    ...manifest,
    gates: manifest.gates.map((gate, index) => ({
      ...gate,
      policy: { name: 'softmax', parameters: { temperature: 1 }, threshold: index < count ? 0.9 : null },
    })),
  }))
}

/** Networks of one, two and three stages take these milliseconds a run, by the fake clock. */
function createTimedBackend(durations: readonly number[]) {
  let disposed = 0
  const backend: Backend = {
    specVersion: 'v1',
    name: 'timed',
    capabilities: { formats: ['onnx'], device: 'cpu' },
    async load({ manifest }): Promise<StagedModel> {
      const { stages, input, classes } = manifest
      return {
        specVersion: 'v1',
        network: { input, classCount: classes.length, stages },
        liveHandles: 0,
        upload: async ({ dims }) => ({ rows: dims[0] ?? 0, dispose() {} }),
        async runStage(index, { rows }) {
          if (index === 0) clock.nowMs += durations[stages.length - 1] ?? Number.NaN
          const scores = { data: new Float32Array(2 * rows), rows, classCount: 2 }
          const activation = index < stages.length - 1 ? { rows, dispose() {} } : null
          return { activation, scores: { rows, read: async () => scores, dispose() {} } }
        },
        selectRows: async (_, { length }) => ({ rows: length, dispose() {} }),
        async dispose() {
          disposed++
        },
      }
    },
  }
  return { backend, disposed: () => disposed }
}

function createDataset(): Dataset & { readonly seen: Set<number> } {
  const seen = new Set<number>()
  return {
    name: 'zeros',
    size: 1000,
    classes: [],
    sampleShape: [2],
    seen,
    async read(indices) {
      for (const index of indices) seen.add(index)
      return { images: new Float32Array(2 * indices.length), labels: null, rows: indices.length }
    },
  }
}

it.each([
  ['no gate where the plain network is fastest', [100, 110, 120], 0],
  ['both gates where each pays', [100, 80, 70], 2],
  ['one gate where the second saves less than 0.1 %', [100, 80, 79.95], 1],
])('keeps %s', async (_, durations, expected) => {
  const source = await createSource()
  const { backend, disposed } = createTimedBackend(durations)
  const dataset = createDataset()
  const candidates = createCandidates(source)
  const options = { backend, source, candidates, dataset, batchSize: 16, seed: 3 }
  expect(await findFastestCandidate(options)).toBe(expected)
  expect(disposed()).toBe(3)
  expect(dataset.seen.size).toBe(3 * 256)
})

it('stops with the reason of the signal and frees every network', async () => {
  const source = await createSource()
  const { backend, disposed } = createTimedBackend([100, 80, 70])
  const controller = new AbortController()
  const run = findFastestCandidate({
    backend,
    source,
    candidates: createCandidates(source),
    dataset: createDataset(),
    batchSize: 2000,
    seed: 0,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  })
  await expect(run).rejects.toThrow('enough')
  expect(disposed()).toBe(3)
})

it('refuses an empty list', async () => {
  const source = await createSource()
  const { backend } = createTimedBackend([1])
  const options = { backend, source, candidates: [], dataset: createDataset(), batchSize: 1, seed: 0 }
  await expect(findFastestCandidate(options)).rejects.toThrow('no candidates')
})
