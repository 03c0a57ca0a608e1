import { expect, it } from 'vitest'

/** One requirement as data: a sentence, and a function that fails where it is not met. */
export interface SuiteCase<Context> {
  readonly name: string
  run(context: Context): void | Promise<void>
}

/** A case together with what it is to be run on. */
export interface BoundCase {
  readonly name: string
  run(): void | Promise<void>
}

/** A test that an implementation does not pass, and why. `test` is the test's exact name. */
export interface SkippedTest {
  readonly test: string
  readonly reason: string
}

/** Cases ready to run on one context. */
export function bindCases<Context>(cases: readonly SuiteCase<Context>[], context: Context): BoundCase[] {
  return cases.map(({ name, run }) => ({ name, run: () => run(context) }))
}

/** Registers each case as a vitest test, and one more that fails when a skip names no case. */
export function registerCases(cases: readonly BoundCase[], skips: readonly SkippedTest[]): void {
  for (const suiteCase of cases) {
    it(suiteCase.name, ({ skip }) => runCase(suiteCase, skips, skip))
  }
  it('skips only tests that exist', () => {
    expect(findUnknownSkips(cases, skips)).toEqual([])
  })
}

/**
 * Runs a case. A skipped one is run all the same: it is marked as skipped, with its reason, only as long as it fails, so
 * that no skip outlives its reason.
 */
export async function runCase(
  { name, run }: BoundCase,
  skips: readonly SkippedTest[],
  markSkipped: (reason: string) => void,
): Promise<void> {
  const skip = skips.find(({ test }) => test === name)
  if (skip === undefined) return await run()
  try {
    await run()
  } catch {
    return markSkipped(skip.reason)
  }
  expect.fail(`This test passes although it is skipped (${skip.reason}). Remove the skip.`)
}

/** Names that are skipped but belong to no case. */
export function findUnknownSkips(cases: readonly { readonly name: string }[], skips: readonly SkippedTest[]): string[] {
  return skips.map(({ test }) => test).filter((test) => cases.every(({ name }) => name !== test))
}
