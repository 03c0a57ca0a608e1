import type { Random } from '../random.ts'
import { type Canvas, drawStrokes, side } from './canvas.ts'
import { type Colour, mixColours, randomColour } from './colour.ts'
import { place, randomPose } from './pose.ts'
import { type Sign, signs } from './signs.ts'

/** A gradient with two ripples across it. */
export function drawBackground({ pixels }: Canvas, random: Random, colour: Colour, difficulty: number): void {
  const centre = side / 2
  const slope = random.between(0, 0.08 + 0.12 * difficulty) / centre
  const direction = random.between(0, 2 * Math.PI)
  const [slopeX, slopeY] = [slope * Math.cos(direction), slope * Math.sin(direction)]
  const ripples = [0, 1].map(() => ({
    x: random.normal() * 0.35,
    y: random.normal() * 0.35,
    phase: random.between(0, 2 * Math.PI),
    height: 0.09 * difficulty * random.next(),
  }))
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      let shade = slopeX * (x - centre) + slopeY * (y - centre)
      for (const ripple of ripples) shade += ripple.height * Math.sin(ripple.x * x + ripple.y * y + ripple.phase)
      for (let channel = 0; channel < 3; channel++) {
        pixels[channel * side * side + at] = (colour[channel] as number) + shade
      }
    }
  }
}

/** Lines and bows across the picture; the harder, the nearer to the sign's colour. */
export function drawClutter(
  canvas: Canvas,
  random: Random,
  count: number,
  difficulty: number,
  signColour: Colour,
): void {
  for (let stroke = 0; stroke < count; stroke++) {
    const colour = mixColours(randomColour(random), signColour, random.next() * difficulty)
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
export function drawDecoy(canvas: Canvas, random: Random, background: Colour, signColour: Colour): void {
  const sign = signs[random.below(signs.length)] as Sign
  const [a, b, c, d] = randomPose(random, { scale: random.between(3, 5), tilt: Math.PI, shear: 0.3, shift: 0 })
  const corner = () => (random.next() < 0.5 ? random.between(1, 6) : random.between(side - 7, side - 2))
  const faint = mixColours(background, signColour, 0.6)
  drawStrokes(canvas, place(sign.paths, [a, b, c, d, corner(), corner()]), 1.2, faint)
}

/** A blot that hides a part of the picture. */
export function drawPatch(canvas: Canvas, random: Random, background: Colour, difficulty: number): void {
  const [x, y] = [random.between(6, side - 6), random.between(6, side - 6)]
  const points = [x, y, x + random.between(-6, 6), y + random.between(-6, 6)]
  const colour = random.next() < 0.5 ? background : randomColour(random)
  drawStrokes(canvas, [{ points, closed: false }], random.between(3, 4 + 6 * difficulty), colour)
}
