import { fileURLToPath } from 'node:url'

/** Where `build.ts` puts TensorFlow.js on its native library when no other folder is named; absolute, ignored by git. */
export const defaultTfjsNodeFolder = fileURLToPath(new URL('../../node_modules/.cache/tfjs-node', import.meta.url))
