export { createLearnedFamily } from './confidence-family.ts'
export { createDeeperFamily } from './deeper-family.ts'
export { createMarginFamily, type MarginScore } from './margin-family.ts'
