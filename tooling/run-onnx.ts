import { InferenceSession, Tensor } from 'onnxruntime-node'

/** A tensor as tests pass it around: float32, row major. */
export interface FloatTensor {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/**
 * Runs a serialised ONNX model once on ONNX Runtime's CPU provider and releases it; for tests.
 *
 * @returns the float32 outputs by name
 */
export async function runOnnx(
  model: Uint8Array,
  feeds: { readonly [name: string]: FloatTensor },
): Promise<{ readonly [name: string]: FloatTensor }> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  try {
    const inputs = Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)])
    const outputs = Object.entries(await session.run(Object.fromEntries(inputs)))
    return Object.fromEntries(outputs.map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]))
  } finally {
    await session.release()
  }
}
