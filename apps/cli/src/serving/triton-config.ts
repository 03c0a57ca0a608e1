import type { BundleManifest } from '@sluice/core'

/** Largest batch that Triton puts together from requests. */
export const defaultMaxBatch = 64

/**
 * `config.pbtxt` of an exported network for NVIDIA Triton's model repository, where the file lies at
 * `NAME/1/model.onnx`. Fields as in Triton's "Model Configuration" and `model_config.proto`: with batching on, shapes are
 * of one row; `exit` has one value a row, which Triton states as `[1]` reshaped to no dimension.
 *
 * @param name folder of the model in the repository
 */
export function createTritonConfig(name: string, manifest: BundleManifest, maxBatch: number): string {
  const { input, classes } = manifest
  return `# Thresholds are optional inputs of model.onnx with defaults of their own; Triton, which batches every input that it
# knows of, is not told of them.
name: ${JSON.stringify(name)}
backend: "onnxruntime"
max_batch_size: ${maxBatch}
input [
  {
    name: ${JSON.stringify(input.name)}
    data_type: TYPE_FP32
    dims: [ ${input.shape.join(', ')} ]
  }
]
output [
  {
    name: "scores"
    data_type: TYPE_FP32
    dims: [ ${classes.length} ]
    label_filename: "labels.txt"
  },
  {
    name: "exit"
    data_type: TYPE_INT64
    dims: [ 1 ]
    reshape: { shape: [ ] }
  }
]
dynamic_batching { }
`
}
