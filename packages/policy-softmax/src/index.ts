export { createSoftmaxFamily, type SoftmaxFamilyOptions } from './softmax-family.ts'
