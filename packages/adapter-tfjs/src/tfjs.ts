/**
 * TensorFlow.js as its users import it: `@tensorflow/tfjs`, `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`. It is
 * passed in, so that the backend that runs is the caller's choice.
 */
export type Tfjs = typeof import('@tensorflow/tfjs')
