import type { Reporter, TestModule } from 'vitest/node'

/** Prints why tests were skipped, then `N passed, N failed, N skipped` alone on the last line. */
export function createSummaryReporter(print: (line: string) => void = console.log): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      for (const line of describeSkips(modules)) print(line)
      const tests = modules.flatMap((module) => [...module.children.allTests()])
      const count = (state: string) => tests.filter((test) => test.result().state === state).length
      const failedSuites = modules.reduce((sum, module) => sum + countSuiteErrors(module), 0)
      const failed = count('failed') + failedSuites + unhandledErrors.length
      print(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`)
    },
  }
}

/** A file that cannot be imported, or a suite whose hook throws, is a failure although no test of it failed. */
function countSuiteErrors(module: TestModule): number {
  const suites = [module, ...module.children.allSuites()]
  return suites.filter((suite) => suite.errors().length > 0).length
}

/** One line per file and reason: a suite that lacks its data skips all its tests for the same reason. */
function describeSkips(modules: readonly TestModule[]): string[] {
  const counts = new Map<string, number>()
  for (const module of modules) {
    for (const test of module.children.allTests('skipped')) {
      const result = test.result()
      const reason = (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given'
      const line = `${module.relativeModuleId}: ${reason}`
      counts.set(line, (counts.get(line) ?? 0) + 1)
    }
  }
  return [...counts].map(([line, count]) => `skipped ${count} in ${line}`)
}
