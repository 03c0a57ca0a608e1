import type { Random } from '../random.ts'
import { side } from './canvas.ts'
import type { Path } from './signs.ts'

/** An affine map from the square of a sign to pixels: `x' = a x + c y + e`, `y' = b x + d y + f`. */
export type Pose = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/** How far a random pose may be from upright in the middle. */
export interface PoseLimits {
  /** Pixels for half of the square. */
  readonly scale: number
  /** Radians either way. */
  readonly tilt: number
  /** Share of the height that the top may lean over, either way. */
  readonly shear: number
  /** Pixels off the middle, in each direction. */
  readonly shift: number
}

/** A pose within limits, mirrored half of the time and up to 15 % narrower than high. */
export function randomPose(random: Random, { scale, tilt, shear, shift }: PoseLimits): Pose {
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

/** Paths of a sign in pixels. */
export function place(paths: readonly Path[], [a, b, c, d, e, f]: Pose): readonly Path[] {
  return paths.map(({ points, closed }) => ({
    closed,
    points: points.map((value, i) => {
      const other = points[i ^ 1] as number
      return i % 2 === 0 ? a * value + c * other + e : b * other + d * value + f
    }),
  }))
}
