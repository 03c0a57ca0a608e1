export { openBundleFolder } from './node/open-bundle-folder.ts'
export { updateManifest } from './node/update-manifest.ts'
export { checkBundleTarget, type WriteBundleOptions, writeBundle } from './node/write-bundle.ts'
