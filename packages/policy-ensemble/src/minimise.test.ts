import { expect, it } from 'vitest'
import { minimise, type Objective } from './minimise.ts'

const options = { gradientTolerance: 1e-8, maxSteps: 500 }

it('finds the minimum of a quadratic function whose curvatures differ a thousandfold', () => {
  const curvatures = Array.from({ length: 20 }, (_, i) => 1.4 ** i)
  const quadratic: Objective = (point, gradient) =>
    point.reduce((sum, x, i) => {
      const [curvature = 1, offset] = [curvatures[i], x - i]
      gradient[i] = curvature * offset
      return sum + (curvature * offset * offset) / 2
    }, 0)
  const { point, steps } = minimise(quadratic, new Float64Array(20), options)
  for (const [i, x] of point.entries()) expect(x).toBeCloseTo(i, 6)
  expect(steps).toBeLessThan(200)
})

it("finds the minimum of Rosenbrock's valley", () => {
  const valley: Objective = ([x = 0, y = 0], gradient) => {
    gradient.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2
  }
  const { point, gradient } = minimise(valley, Float64Array.of(-1.2, 1), options)
  expect(point[0]).toBeCloseTo(1, 6)
  expect(point[1]).toBeCloseTo(1, 6)
  expect(Math.hypot(...gradient)).toBeLessThan(1e-7)
})

it('ends where rounding hides what is left to gain', () => {
  let calls = 0
  const raised: Objective = ([x = 0], gradient) => {
    calls++
    gradient[0] = 2 * x
    return 1e6 + x * x
  }
  const { value } = minimise(raised, Float64Array.of(1), { gradientTolerance: 0, maxSteps: 1000 })
  expect(value).toBeCloseTo(1e6, 9)
  expect(calls).toBeLessThan(100)
})

it('stays at a minimum, and goes no further than it may', () => {
  const bowl: Objective = ([x = 0], gradient) => {
    gradient[0] = 4 * x ** 3
    return x ** 4
  }
  expect(minimise(bowl, Float64Array.of(0), options)).toMatchObject({ value: 0, steps: 0 })
  expect(minimise(bowl, Float64Array.of(3), { ...options, maxSteps: 2 }).steps).toBe(2)
})
