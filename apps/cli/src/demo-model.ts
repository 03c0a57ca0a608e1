import { fileURLToPath } from 'node:url'

/**
 * The committed network, trained on the built-in glyphs by the script in the repository. This file lies one folder below
 * the package, as its build does, so that both find it.
 */
export const demoModelFile = fileURLToPath(new URL('../assets/glyphs-resnet.onnx', import.meta.url))
