import { describe, test } from 'vitest'
import { expectedSharedFolder, sharedFolder } from './shared.ts'

/**
 * A `describe` for tests that need the data and models beside the repository. Where they are absent the suite is one
 * skipped test with its reason, and `body` does not run.
 *
 * @param body defines the tests; gets the absolute path of the folder
 */
export function describeWithShared(name: string, body: (folder: string) => void): void {
  describe(name, () => {
    const folder = sharedFolder()
    if (folder !== null) return body(folder)
    test('needs the data and models beside the repository', ({ skip }) => {
      skip(`${expectedSharedFolder} does not exist; point SLUICE_SHARED to it`)
    })
  })
}
