/** Uniform random numbers from a seed. The same seed and stream give the same numbers everywhere. */
export interface Random {
  /** Uniform in [0, 1), 32 random bits. */
  next(): number
  /** Uniform in [low, high). */
  between(low: number, high: number): number
  /** A whole number, uniform in 0..count - 1. */
  below(count: number): number
  /** Standard normal. */
  normal(): number
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand) seeded by the finaliser of MurmurHash3, so that neighbouring streams of one
 * seed are unrelated.
 *
 * @param seed 0..2^32 - 1
 * @param stream 0..2^32 - 1, e.g. the index of a sample
 */
export function createRandom(seed: number, stream = 0): Random {
  let a = mix(seed)
  let b = mix(stream ^ 0x9e3779b9)
  let c = mix(a ^ b)
  let counter = 1
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let round = 0; round < 8; round++) next()
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    below: (count) => Math.floor(next() * count),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

function mix(value: number): number {
  let hash = (value + 0x9e3779b9) | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
