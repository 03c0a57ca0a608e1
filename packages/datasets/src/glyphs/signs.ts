/** A line through points, `x0, y0, x1, y1, …`. */
export interface Path {
  readonly points: readonly number[]
  /** Whether the last point is joined to the first. */
  readonly closed: boolean
}

/** A drawn sign in a square of -1..1, x to the right, y down. */
export interface Sign {
  readonly name: string
  readonly paths: readonly Path[]
  /** Whether it may also be drawn solid, its closed paths filled by the even-odd rule. */
  readonly fillable: boolean
}

const closed = (points: readonly number[]): Path => ({ points, closed: true })
const open = (points: readonly number[]): Path => ({ points, closed: false })

/** Points of a curve at `count + 1` even steps of its parameter from 0 to 1. */
function trace(count: number, curve: (t: number) => readonly [number, number]): readonly number[] {
  return Array.from({ length: count + 1 }, (_, i) => curve(i / count)).flat()
}

const turn = 2 * Math.PI

function circle(x: number, y: number, radius: number, count: number): readonly number[] {
  return trace(count, (t) => [x + radius * Math.cos(turn * t), y + radius * Math.sin(turn * t)])
}

const starPoints = trace(10, (t) => {
  const radius = Math.round(t * 10) % 2 === 0 ? 1 : 0.42
  return [radius * Math.sin(turn * t), -radius * Math.cos(turn * t)]
})

const spiralPoints = trace(40, (t) => {
  const radius = 0.08 + 0.9 * t
  return [radius * Math.cos(turn * 2.25 * t), radius * Math.sin(turn * 2.25 * t)]
})

/** The usual parametric heart, scaled to the square. */
const heartPoints = trace(28, (t) => {
  const x = Math.sin(turn * t) ** 3
  const y = 13 * Math.cos(turn * t) - 5 * Math.cos(2 * turn * t) - 2 * Math.cos(3 * turn * t) - Math.cos(4 * turn * t)
  return [0.98 * x, -y / 16 - 0.1]
})

const bar = 0.3
const crossPoints = [
  ...[-bar, -0.95, bar, -0.95, bar, -bar, 0.95, -bar, 0.95, bar, bar, bar],
  ...[bar, 0.95, -bar, 0.95, -bar, bar, -0.95, bar, -0.95, -bar, -bar, -bar],
]

/** The ten signs; a class is an index into them. */
export const signs: readonly Sign[] = [
  {
    name: 'arrow',
    paths: [closed([-0.95, -0.24, 0.05, -0.24, 0.05, -0.68, 0.98, 0, 0.05, 0.68, 0.05, 0.24, -0.95, 0.24])],
    fillable: true,
  },
  { name: 'star', paths: [closed(starPoints)], fillable: true },
  { name: 'ring', paths: [closed(circle(0, 0, 0.8, 24))], fillable: false },
  { name: 'cross', paths: [closed(crossPoints)], fillable: true },
  { name: 'spiral', paths: [open(spiralPoints)], fillable: false },
  {
    name: 'house',
    paths: [
      closed([-0.72, 0.88, -0.72, -0.1, 0, -0.92, 0.72, -0.1, 0.72, 0.88]),
      closed([-0.2, 0.88, -0.2, 0.3, 0.2, 0.3, 0.2, 0.88]),
    ],
    fillable: true,
  },
  {
    name: 'key',
    paths: [closed(circle(-0.55, 0, 0.4, 16)), open([-0.15, 0, 0.95, 0, 0.95, 0.42]), open([0.55, 0, 0.55, 0.36])],
    fillable: false,
  },
  {
    name: 'bolt',
    paths: [closed([0.25, -0.98, -0.6, 0.16, -0.08, 0.16, -0.25, 0.98, 0.6, -0.2, 0.06, -0.2])],
    fillable: true,
  },
  { name: 'wave', paths: [open(trace(28, (t) => [1.9 * t - 0.95, 0.48 * Math.sin(turn * 2 * t)]))], fillable: false },
  { name: 'heart', paths: [closed(heartPoints)], fillable: true },
]
