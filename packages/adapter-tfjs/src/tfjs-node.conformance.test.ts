import { describeBackend } from '@sluice/conformance'
import { describe, test } from 'vitest'
import { defaultTfjsNodeFolder } from '../../../tooling/tfjs-node/folder.ts'
import { createTfjsBackend } from './backend.ts'
import { openNodeTfjs, TfjsBackendMissingError } from './node.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'
import type { Tfjs } from './tfjs.ts'

process.env.SLUICE_TFJS_NODE ||= defaultTfjsNodeFolder
const tf = await openOrExplain()

if (typeof tf === 'string') {
  describe('tfjs (tensorflow) as a backend', () => {
    test('needs the native library', ({ skip }) => skip(tf))
  })
} else {
  describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
    rtol: 1e-5,
    atol: 1e-5,
  })
}

async function openOrExplain(): Promise<Tfjs | string> {
  try {
    return await openNodeTfjs('tensorflow', { threads: 1 })
  } catch (error) {
    if (!(error instanceof TfjsBackendMissingError)) throw error
    return `${error.message} In this repository 'npx tsx tooling/tfjs-node/build.ts' builds it.`
  }
}
