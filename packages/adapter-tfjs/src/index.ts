export type { Tfjs } from './tfjs.ts'
