import { createRandom, type Random } from '../random.ts'
import { blur, type Canvas, type Colour, createCanvas, drawSolid, drawStrokes, side } from './canvas.ts'
import { type Path, type Sign, signs } from './signs.ts'

/** One drawn sign. */
export interface Glyph {
  /** `[3, 32, 32]`, red, green, blue, 0..255. The caller owns it. */
  readonly pixels: Uint8Array
  /** Index into `glyphClasses`. */
  readonly label: number
  /** From 0, a clean upright sign, to 1, a small faint one under clutter and noise. */
  readonly difficulty: number
}

/** Names of the ten signs, in the order of the labels. */
export const glyphClasses: readonly string[] = signs.map(({ name }) => name)

/** The glyph of a seed and an index, both 0..2^32 - 1; the same whenever it is drawn. */
export function drawGlyph(seed: number, index: number): Glyph {
  const random = createRandom(seed, index)
  const label = random.below(signs.length)
  const difficulty = random.next()
  const canvas = createCanvas()
  const background = randomColour(random)
  const colour = contrastingColour(random, background, mix(0.85, 0.2, difficulty))
  drawBackground(canvas, random, background, difficulty)
  drawClutter(canvas, random, random.below(1 + Math.round(7 * difficulty)), difficulty, colour)
  if (random.next() < difficulty - 0.3) drawDecoy(canvas, random, background, colour)
  drawSign(canvas, random, signs[label] as Sign, difficulty, colour)
  drawClutter(canvas, random, random.below(1 + Math.round(4 * difficulty)), difficulty, colour)
  if (random.next() < 0.8 * difficulty) drawPatch(canvas, random, background, difficulty)
  blur(canvas, 0.6 * difficulty * random.next())
  return { pixels: developNoisy(canvas, random, mix(0.01, 0.13, difficulty * random.next())), label, difficulty }
}

const mix = (from: number, to: number, share: number) => from + (to - from) * share

function randomColour(random: Random): Colour {
  return colourOf(random.next(), random.between(0.15, 0.75), random.between(0.15, 0.85))
}

/** A colour about `distance` away from another in RGB: the nearest to that of some random ones. */
function contrastingColour(random: Random, from: Colour, distance: number): Colour {
  let best: Colour = from
  let bestError = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 16; attempt++) {
    const colour = colourOf(random.next(), random.between(0.4, 1), random.between(0.05, 0.95))
    const error = Math.abs(Math.hypot(...colour.map((value, i) => value - (from[i] as number))) - distance)
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

/** A gradient with two ripples across it. */
function drawBackground({ pixels }: Canvas, random: Random, colour: Colour, difficulty: number): void {
  const slope = random.between(0, 0.08 + 0.12 * difficulty)
  const direction = random.between(0, 2 * Math.PI)
  const ripples = [0, 1].map(() => ({
    x: random.normal() * 0.35,
    y: random.normal() * 0.35,
    phase: random.between(0, 2 * Math.PI),
    height: 0.09 * difficulty * random.next(),
  }))
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      let shade = (slope * (Math.cos(direction) * (x - side / 2) + Math.sin(direction) * (y - side / 2))) / (side / 2)
      for (const ripple of ripples) shade += ripple.height * Math.sin(ripple.x * x + ripple.y * y + ripple.phase)
      for (let channel = 0; channel < 3; channel++) {
        pixels[channel * side * side + at] = (colour[channel] as number) + shade
      }
    }
  }
}

/** An affine map from the square of a sign to pixels: `x' = a x + c y + e`, `y' = b x + d y + f`. */
type Pose = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

function randomPose(random: Random, scale: number, tilt: number, shear: number, shift: number): Pose {
  const angle = random.between(-tilt, tilt)
  const slant = random.between(-shear, shear)
  const mirror = random.next() < 0.5 ? -1 : 1
  const width = scale * random.between(0.85, 1.05)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const centre = (side - 1) / 2
  const move = () => centre + random.between(-shift, shift)
  return [
    mirror * width * cos,
    mirror * width * sin,
    scale * (slant * cos - sin),
    scale * (slant * sin + cos),
    move(),
    move(),
  ]
}

function place(paths: readonly Path[], [a, b, c, d, e, f]: Pose): readonly Path[] {
  return paths.map(({ points, closed }) => ({
    closed,
    points: points.map((value, i) => {
      const other = points[i ^ 1] as number
      return i % 2 === 0 ? a * value + c * other + e : b * other + d * value + f
    }),
  }))
}

function drawSign(canvas: Canvas, random: Random, sign: Sign, difficulty: number, colour: Colour): void {
  const scale = mix(12.5, random.between(6, 11), difficulty)
  const pose = randomPose(
    random,
    scale,
    0.1 + 0.75 * difficulty,
    0.4 * difficulty,
    1 + 0.85 * (14 - scale) * difficulty,
  )
  const width = random.between(1.3, 1.3 + 0.14 * scale)
  const draw = sign.fillable && random.next() < 0.5 ? drawSolid : drawStrokes
  draw(canvas, place(sign.paths, pose), width, colour)
}

/** Lines and bows across the picture; the harder, the nearer to the sign's colour. */
function drawClutter(canvas: Canvas, random: Random, count: number, difficulty: number, signColour: Colour): void {
  for (let stroke = 0; stroke < count; stroke++) {
    const other = randomColour(random)
    const likeness = random.next() * difficulty
    const colour: Colour = [
      mix(other[0], signColour[0], likeness),
      mix(other[1], signColour[1], likeness),
      mix(other[2], signColour[2], likeness),
    ]
    const path = { points: randomBow(random), closed: false }
    drawStrokes(canvas, [path], random.between(0.8, 2.2), colour, random.between(0.5, 1))
  }
}

/** A quadratic curve between random points, in five pieces. */
function randomBow(random: Random): readonly number[] {
  const [x0, y0] = [random.between(0, side), random.between(0, side)]
  const reach = random.between(5, 16)
  const [x1, y1] = [x0 + reach * random.normal(), y0 + reach * random.normal()]
  const [bendX, bendY] = [(x0 + x1) / 2 + 4 * random.normal(), (y0 + y1) / 2 + 4 * random.normal()]
  return Array.from({ length: 6 }, (_, i) => i / 5).flatMap((t) => [
    (1 - t) ** 2 * x0 + 2 * t * (1 - t) * bendX + t ** 2 * x1,
    (1 - t) ** 2 * y0 + 2 * t * (1 - t) * bendY + t ** 2 * y1,
  ])
}

/** A smaller, fainter sign near a corner that does not count. */
function drawDecoy(canvas: Canvas, random: Random, background: Colour, signColour: Colour): void {
  const sign = signs[random.below(signs.length)] as Sign
  const [a, b, c, d] = randomPose(random, random.between(3, 5), Math.PI, 0.3, 0)
  const corner = () => (random.next() < 0.5 ? random.between(1, 6) : random.between(side - 7, side - 2))
  const faint: Colour = [
    mix(background[0], signColour[0], 0.6),
    mix(background[1], signColour[1], 0.6),
    mix(background[2], signColour[2], 0.6),
  ]
  drawStrokes(canvas, place(sign.paths, [a, b, c, d, corner(), corner()]), 1.2, faint)
}

/** A blot that hides a part of the picture. */
function drawPatch(canvas: Canvas, random: Random, background: Colour, difficulty: number): void {
  const [x, y] = [random.between(6, side - 6), random.between(6, side - 6)]
  const points = [x, y, x + random.between(-6, 6), y + random.between(-6, 6)]
  const colour = random.next() < 0.5 ? background : randomColour(random)
  drawStrokes(canvas, [{ points, closed: false }], random.between(3, 4 + 6 * difficulty), colour)
}

function developNoisy({ pixels }: Canvas, random: Random, deviation: number): Uint8Array {
  const result = new Uint8ClampedArray(pixels.length)
  // The sum of two uniform numbers has a variance of 1/6 and is cheaper than a normal one.
  const scale = deviation * Math.sqrt(6)
  for (let i = 0; i < pixels.length; i++) {
    result[i] = 255 * ((pixels[i] as number) + scale * (random.next() + random.next() - 1))
  }
  return new Uint8Array(result.buffer)
}
