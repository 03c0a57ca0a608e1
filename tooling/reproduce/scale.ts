/** How much of everything a run takes. */
export interface Scale {
  readonly name: 'full' | 'small'
  /** Of the networks that are trained or random here, as a fraction of the paper's. */
  readonly width: number
  /** Null takes the network's own number. */
  readonly epochs: number | null
  /** Images of each split; null takes all. */
  readonly images: number | null
  readonly trainingBatch: number
  /** Options of `sluice bench` beyond its defaults. */
  readonly bench: readonly string[]
}

/** What the table is made of. */
export const fullScale: Scale = {
  name: 'full',
  width: 1,
  epochs: null,
  images: null,
  trainingBatch: 512,
  bench: [],
}

/** The same steps in minutes on a CPU: shows that they work, not what they save. */
export const smallScale: Scale = {
  name: 'small',
  width: 1 / 8,
  epochs: 2,
  images: 240,
  trainingBatch: 60,
  bench: ['--rows', '64', '--rounds', '3'],
}
