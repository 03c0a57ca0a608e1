export { createEnsembleFamily, type EnsembleFamilyOptions } from './ensemble-family.ts'
