export { createLearnedFamily } from './confidence-family.ts'
export { createDeeperFamily, type DeeperFamilyOptions } from './deeper-family.ts'
export { createMarginFamily, type MarginScore } from './margin-family.ts'
