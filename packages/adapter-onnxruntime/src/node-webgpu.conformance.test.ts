import { existsSync } from 'node:fs'
import { createOnnxRuntimeBackend } from './node.ts'
import { describeWhereItStarts } from './testing/describe-where-it-starts.ts'

/** Debian's chromium brings a Vulkan driver that runs on the processor: slow, and enough for these tiny networks. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (existsSync(softwareDriver)) process.env.VK_ICD_FILENAMES ??= softwareDriver

const backend = createOnnxRuntimeBackend({ executionProviders: ['webgpu'], logLevel: 'fatal' })

await describeWhereItStarts(backend, { rtol: 1e-4, atol: 1e-4, runs: 4 })
