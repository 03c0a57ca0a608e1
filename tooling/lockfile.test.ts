import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface LockedPackage {
  readonly optionalDependencies?: { readonly [name: string]: string }
}

/**
 * npm leaves other platforms' optional packages out of a lockfile that it writes beside an existing `node_modules`
 * (npm/cli#4828); `npm ci` then fails, here or on those platforms.
 */
test('the lockfile has the optional packages of every platform', () => {
  const lock = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')
  const packages: { readonly [path: string]: LockedPackage } = JSON.parse(lock).packages
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)))
  const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
  expect(optional.length).toBeGreaterThan(0)
  expect(optional.filter((name) => !names.has(name))).toEqual([])
})
