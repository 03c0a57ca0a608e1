/**
 * Which of `count` rows after the first `start` of a stream are drawn, ascending, counted from 0: each with chance `share`, on
 * its own. A row's draw depends on the seed and its place in the stream alone, so batches make no difference.
 *
 * @param seed whole number; its last 32 bits count
 * @param share 0..1
 */
export function selectRows(seed: number, start: number, count: number, share: number): Uint32Array {
  const limit = share * 2 ** 32
  const drawn: number[] = []
  for (let row = 0; row < count; row++) if (hash(seed, start + row) < limit) drawn.push(row)
  return Uint32Array.from(drawn)
}

/** 32 random bits for a place in a stream. */
function hash(seed: number, place: number): number {
  return mix(mix(mix(seed) + Math.floor(place / 2 ** 32)) + place) >>> 0
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain). */
function mix(value: number): number {
  let bits = (value + 0x9e3779b9) | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
