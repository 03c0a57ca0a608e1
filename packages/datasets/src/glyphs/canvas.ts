import type { Colour } from './colour.ts'
import type { Path } from './signs.ts'

/** Side of a glyph in pixels. */
export const side = 32
const planeSize = side * side

/** A picture `[3, side, side]` of values around 0..1 and the coverage of the shape being drawn, `[side, side]` in 0..1. */
export interface Canvas {
  readonly pixels: Float32Array
  readonly coverage: Float32Array
}

export function createCanvas(): Canvas {
  return { pixels: new Float32Array(3 * planeSize), coverage: new Float32Array(planeSize) }
}

/** Draws lines of a width in pixels with round ends, antialiased, then blends them in. Paths are in pixels. */
export function drawStrokes(canvas: Canvas, paths: readonly Path[], width: number, colour: Colour, opacity = 1): void {
  canvas.coverage.fill(0)
  for (const path of paths) coverPath(canvas.coverage, path, width / 2)
  blend(canvas, colour, opacity)
}

/** As `drawStrokes`, with the inside of the closed paths (even-odd rule) filled too. */
export function drawSolid(canvas: Canvas, paths: readonly Path[], width: number, colour: Colour, opacity = 1): void {
  canvas.coverage.fill(0)
  coverInside(
    canvas.coverage,
    paths.filter(({ closed }) => closed),
  )
  for (const path of paths) coverPath(canvas.coverage, path, width / 2)
  blend(canvas, colour, opacity)
}

function blend({ pixels, coverage }: Canvas, colour: Colour, opacity: number): void {
  for (let i = 0; i < planeSize; i++) {
    const weight = (coverage[i] as number) * opacity
    if (weight === 0) continue
    for (let channel = 0; channel < 3; channel++) {
      const at = channel * planeSize + i
      const below = pixels[at] as number
      pixels[at] = below + weight * ((colour[channel] as number) - below)
    }
  }
}

function coverPath(coverage: Float32Array, { points, closed }: Path, radius: number): void {
  const last = points.length - 2
  for (let i = 0; i < last; i += 2) coverSegment(coverage, points, i, i + 2, radius)
  if (closed) coverSegment(coverage, points, last, 0, radius)
}

/** Coverage of a pixel by its distance to the segment, over the pixels near it alone. */
function coverSegment(
  coverage: Float32Array,
  points: readonly number[],
  from: number,
  to: number,
  radius: number,
): void {
  const [x0, y0] = [points[from] as number, points[from + 1] as number]
  const [x1, y1] = [points[to] as number, points[to + 1] as number]
  const [dx, dy] = [x1 - x0, y1 - y0]
  const lengthSquared = dx * dx + dy * dy || 1
  const reach = radius + 1
  const xEnd = lastPixel(Math.max(x0, x1) + reach)
  const yEnd = lastPixel(Math.max(y0, y1) + reach)
  const xStart = firstPixel(Math.min(x0, x1) - reach)
  for (let y = firstPixel(Math.min(y0, y1) - reach); y <= yEnd; y++) {
    for (let x = xStart; x <= xEnd; x++) {
      const [px, py] = [x - x0, y - y0]
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / lengthSquared))
      const [ex, ey] = [px - along * dx, py - along * dy]
      const value = Math.min(1, radius + 0.5 - Math.sqrt(ex * ex + ey * ey))
      const at = y * side + x
      if (value > (coverage[at] as number)) coverage[at] = value
    }
  }
}

const firstPixel = (value: number) => Math.max(0, Math.floor(value))
const lastPixel = (value: number) => Math.min(side - 1, Math.ceil(value))

/** Covers the pixels whose centre is inside; the strokes on the border smooth its edge. */
function coverInside(coverage: Float32Array, paths: readonly Path[]): void {
  for (let y = 0; y < side; y++) {
    const crossings = paths.flatMap((path) => crossingsOfRow(path, y)).sort((a, b) => a - b)
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const end = Math.min(side - 1, Math.floor(crossings[pair + 1] as number))
      for (let x = Math.max(0, Math.ceil(crossings[pair] as number)); x <= end; x++) coverage[y * side + x] = 1
    }
  }
}

function crossingsOfRow({ points }: Path, y: number): number[] {
  const crossings: number[] = []
  for (let i = 0, previous = points.length - 2; i < points.length; previous = i, i += 2) {
    const [x0, y0] = [points[previous] as number, points[previous + 1] as number]
    const [x1, y1] = [points[i] as number, points[i + 1] as number]
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0))
  }
  return crossings
}

/** Replaces every pixel by the weighted mean `[w, 1, w] / (1 + 2 w)` of its row, then of its column. */
export function blur({ pixels }: Canvas, weight: number): void {
  for (let plane = 0; plane < pixels.length; plane += planeSize) {
    for (let line = 0; line < side; line++) {
      blurLine(pixels, plane + line * side, 1, weight)
      blurLine(pixels, plane + line, side, weight)
    }
  }
}

function blurLine(pixels: Float32Array, start: number, step: number, weight: number): void {
  const end = start + (side - 1) * step
  let before = pixels[start] as number
  for (let at = start; at <= end; at += step) {
    const here = pixels[at] as number
    const after = at === end ? here : (pixels[at + step] as number)
    pixels[at] = (here + weight * (before + after)) / (1 + 2 * weight)
    before = here
  }
}
