/** What {@link createKServeManifest} describes. */
export interface KServeOptions {
  /** Name of the service: lower-case letters, digits and hyphens. */
  readonly name: string
  /** Where the cluster finds the model repository, e.g. `s3://models/gated` or `pvc://claim/path`. */
  readonly storageUri: string
}

/**
 * An `InferenceService` of KServe (`serving.kserve.io/v1beta1`) for a model repository as Triton reads it, behind the
 * Open Inference Protocol. The runtime is the one that KServe installs for ONNX.
 */
export function createKServeManifest({ name, storageUri }: KServeOptions): string {
  return `apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: ${JSON.stringify(name)}
spec:
  predictor:
    model:
      modelFormat:
        name: onnx
      protocolVersion: v2
      runtime: kserve-tritonserver
      storageUri: ${JSON.stringify(storageUri)}
`
}

/** A name that Kubernetes takes, from any other: its lower-case letters and digits, joined by hyphens, 63 at most. */
export function convertToServiceName(name: string): string {
  const parts = name.toLowerCase().match(/[a-z0-9]+/g) ?? []
  const joined = parts
    .join('-')
    .replace(/^[0-9-]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return joined === '' ? 'gated-network' : joined
}
