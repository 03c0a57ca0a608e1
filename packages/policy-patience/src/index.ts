export { createDifferenceFamily } from './difference-family.ts'
export { createPatienceFamily } from './patience-family.ts'
export { createPatiencePolicy, type PatienceState } from './patience-policy.ts'
export { createWindowFamily } from './window-family.ts'
