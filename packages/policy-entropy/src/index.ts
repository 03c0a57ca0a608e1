export { createEntropyFamily, type EntropyFamilyOptions } from './entropy-family.ts'
