import type * as Ort from 'onnxruntime-common'

/** What is used of `onnxruntime-node` and `onnxruntime-web`, e.g. `import * as ort from 'onnxruntime-node'`. */
export type OrtRuntime = Pick<typeof Ort, 'InferenceSession' | 'Tensor' | 'env'>
