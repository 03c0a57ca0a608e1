import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A step of a run: what was asked, how long it took, and what came out. */
export interface Step {
  readonly command: string
  readonly seconds: number
  readonly answer: unknown
}

/** Runs steps and keeps their answers in a folder, so that a run that was cut off goes on behind the last one that ended. */
export interface Steps {
  /**
   * @param name of the step's file
   * @param command what identifies the work: a kept answer counts only where it is the same, and so were all before it
   */
  run(name: string, command: string, work: () => Promise<unknown>): Promise<Step>
}

/** @param folder is made where it is absent */
export function createSteps(folder: string, onMessage: (message: string) => void): Steps {
  let isRepeated = true
  return {
    async run(name, command, work) {
      const file = join(folder, `${name}.json`)
      const kept = isRepeated ? await readStep(file) : null
      if (kept?.command === command) {
        onMessage(`${name}: kept from an earlier run`)
        return kept
      }
      isRepeated = false
      onMessage(`${name}: ${command}`)
      // Before the work, which writes beside it.
      await mkdir(folder, { recursive: true })
      const startMs = performance.now()
      const answer = await work()
      const step = { command, seconds: (performance.now() - startMs) / 1000, answer }
      await writeFile(`${file}.tmp`, JSON.stringify(step))
      await rename(`${file}.tmp`, file)
      return step
    },
  }
}

async function readStep(file: string): Promise<Step | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : JSON.parse(text)
}
