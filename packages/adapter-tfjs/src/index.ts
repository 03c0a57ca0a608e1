export type { Tfjs } from './tfjs.ts'
export type * from './tfjs-network.ts'
