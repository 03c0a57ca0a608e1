import { existsSync } from 'node:fs'
import { describeBackend } from '@sluice/conformance'
import { describe, test } from 'vitest'
import { defaultTfjsNodeFolder } from '../../../tooling/tfjs-node/folder.ts'
import { createTfjsBackend } from './backend.ts'
import { findBestNodeTfjsBackend, openNodeTfjs } from './node.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

if (existsSync(defaultTfjsNodeFolder)) process.env.SLUICE_TFJS_NODE ||= defaultTfjsNodeFolder

// Where there is a build, one that does not start is a failure.
if (findBestNodeTfjsBackend() === 'tensorflow') {
  const tf = await openNodeTfjs('tensorflow', { threads: 1 })
  describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
    rtol: 1e-5,
    atol: 1e-5,
  })
} else {
  describe('tfjs (tensorflow) as a backend', () => {
    test('needs the native library', ({ skip }) =>
      skip('@tensorflow/tfjs-node is not installed here; `npx tsx tooling/tfjs-node/build.ts` builds it.'))
  })
}
