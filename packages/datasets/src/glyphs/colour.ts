import type { Random } from '../random.ts'

/** Red, green and blue, 0..1. */
export type Colour = readonly [number, number, number]

/** The colour `share` of the way from one to another. */
export function mixColours(from: Colour, to: Colour, share: number): Colour {
  return [mix(from[0], to[0], share), mix(from[1], to[1], share), mix(from[2], to[2], share)]
}

/** The number `share` of the way from one to another. */
export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share
}

/** Neither very grey nor very dark or light. */
export function randomColour(random: Random): Colour {
  return colourOf(random.next(), random.between(0.15, 0.75), random.between(0.15, 0.85))
}

/** A colour about `distance` away from another in RGB: the nearest to that of some random ones. */
export function contrastingColour(random: Random, from: Colour, distance: number): Colour {
  let best: Colour = from
  let bestError = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 16; attempt++) {
    const colour = colourOf(random.next(), random.between(0.4, 1), random.between(0.05, 0.95))
    const error = Math.abs(Math.hypot(colour[0] - from[0], colour[1] - from[1], colour[2] - from[2]) - distance)
    if (error < bestError) [best, bestError] = [colour, error]
  }
  return best
}

/** Hue, saturation and lightness, each 0..1, as RGB. */
function colourOf(hue: number, saturation: number, lightness: number): Colour {
  const chroma = saturation * Math.min(lightness, 1 - lightness)
  const channel = (offset: number) => {
    const position = (offset + hue * 12) % 12
    return lightness - chroma * Math.max(-1, Math.min(position - 3, 9 - position, 1))
  }
  return [channel(0), channel(8), channel(4)]
}
