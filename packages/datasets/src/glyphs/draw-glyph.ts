import { createRandom, type Random } from '../random.ts'
import { blur, type Canvas, createCanvas, drawSolid, drawStrokes } from './canvas.ts'
import { type Colour, contrastingColour, mix, randomColour } from './colour.ts'
import { place, randomPose } from './pose.ts'
import { drawBackground, drawClutter, drawDecoy, drawPatch } from './scenery.ts'
import { type Sign, signs } from './signs.ts'

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
  const colour = contrastingColour(random, background, mix(0.85, 0.27, difficulty))
  drawBackground(canvas, random, background, difficulty)
  drawClutter(canvas, random, random.below(1 + Math.round(6 * difficulty)), difficulty, colour)
  if (random.next() < difficulty - 0.35) drawDecoy(canvas, random, background, colour)
  drawSign(canvas, random, signs[label] as Sign, difficulty, colour)
  drawClutter(canvas, random, random.below(1 + Math.round(4 * difficulty)), difficulty, colour)
  if (random.next() < 0.75 * difficulty) drawPatch(canvas, random, background, difficulty)
  blur(canvas, 0.55 * difficulty * random.next())
  return { pixels: developNoisy(canvas, random, mix(0.01, 0.12, difficulty * random.next())), label, difficulty }
}

function drawSign(canvas: Canvas, random: Random, sign: Sign, difficulty: number, colour: Colour): void {
  const scale = mix(12.5, random.between(6.6, 11), difficulty)
  const pose = randomPose(random, {
    scale,
    tilt: 0.1 + 0.7 * difficulty,
    shear: 0.36 * difficulty,
    shift: 1 + 0.8 * (14 - scale) * difficulty,
  })
  const width = random.between(1.3, 1.3 + 0.14 * scale)
  const draw = sign.fillable && random.next() < 0.5 ? drawSolid : drawStrokes
  draw(canvas, place(sign.paths, pose), width, colour)
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
