/** Uniform random numbers from a seed: the same seed and stream give the same numbers everywhere. */
export interface Random {
  /** Uniform in [0, 1), 32 random bits. */
  next(): number
  /** Uniform over the whole numbers 0..count - 1. */
  below(count: number): number
  /** Standard normal (Box and Muller). */
  normal(): number
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded by the finaliser of MurmurHash3.
 *
 * @param seed whole number, 32 bits of it count
 * @param stream separates independent uses of one seed
 */
export function createRandom(seed: number, stream: number): Random {
  let a = hash32(seed)
  let b = hash32(stream ^ 0x9e3779b9)
  let c = hash32(a ^ b)
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
    below: (count) => Math.floor(next() * count),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

/** A well-mixed 32-bit hash of a whole number, as a signed integer. */
export function hash32(value: number): number {
  let hash = (value + 0x9e3779b9) | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Puts the values in a random order, in place (Fisher and Yates). */
export function shuffle(values: Uint32Array, random: Random): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const value = values[last] as number
    values[last] = values[other] as number
    values[other] = value
  }
}
