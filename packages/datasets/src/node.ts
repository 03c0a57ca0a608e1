export { openDataset } from './node/open-dataset.ts'
export type { OpenOptions } from './node/open-options.ts'
export { type ReadImageOptions, readImage } from './node/read-image.ts'
