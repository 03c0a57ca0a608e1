import { existsSync } from 'node:fs'
import { describeBackend } from '@sluice/conformance'
import type { StagedModel } from '@sluice/core'
import { createRandomReferenceNetwork } from '@sluice/core/reference'
import { afterAll, describe, test } from 'vitest'
import { createOnnxRuntimeBackend, ExecutionProviderError } from './node.ts'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'

/** Debian's chromium brings a Vulkan driver that runs on the processor: slow, and enough for these tiny networks. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (existsSync(softwareDriver)) process.env.VK_ICD_FILENAMES ??= softwareDriver

const backend = createOnnxRuntimeBackend({ executionProviders: ['webgpu'], logLevel: 'fatal' })
const probe = await loadOrExplain()

if (typeof probe === 'string') {
  describe(`${backend.name} as a backend`, () => {
    test('needs a WebGPU adapter', ({ skip }) => skip(probe))
  })
} else {
  // Kept loaded: the engine opens the device anew, for a second, whenever its last session has gone.
  afterAll(() => probe.dispose())
  describeBackend(backend, createReferenceOnnxBundle, { rtol: 1e-4, atol: 1e-4, runs: 4 })
}

async function loadOrExplain(): Promise<StagedModel | string> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2], classCount: 2 })
  try {
    return await backend.load(createReferenceOnnxBundle(network))
  } catch (error) {
    if (error instanceof ExecutionProviderError) return error.message
    throw error
  }
}
