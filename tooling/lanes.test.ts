import { expect, test } from 'vitest'
import { createProgramStep, runLanes, type Step } from './lanes.ts'

const passes = (name: string): Step => ({ name, run: async () => [] })
const never: Step = {
  name: 'endless',
  run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve([]))),
}

async function run(lanes: readonly (readonly Step[])[]) {
  const lines: string[] = []
  const passed = await runLanes(lanes, (text) => lines.push(text.replace(/[\d.]+ s/, 'N s')))
  return { passed, lines }
}

test('steps that pass print a line each', async () => {
  expect(await run([[passes('one'), passes('two')], []])).toEqual({
    passed: true,
    lines: ['ok     one (N s)', 'ok     two (N s)'],
  })
})

test('the first step with problems prints them and ends every lane', async () => {
  const fails: Step = { name: 'broken', run: async () => ['a is wrong', 'b is wrong'] }
  expect(await run([[fails, passes('later')], [never]])).toEqual({
    passed: false,
    lines: ['FAILED broken (N s)', 'a is wrong\nb is wrong'],
  })
})

test('a program fails by its exit status and shows what it printed', async () => {
  const print = createProgramStep('program', '-e', ["console.log('wrong'); process.exitCode = 2"])
  expect(await run([[print]])).toMatchObject({
    passed: false,
    lines: ['FAILED program (N s)', 'wrong\n\nExit status 2.'],
  })
  expect(await run([[createProgramStep('silent', '-e', ["console.log('fine')"])]])).toMatchObject({ passed: true })
})

test('a program that runs when another step fails is stopped', async () => {
  const sleeps = createProgramStep('sleep', '-e', ['setTimeout(() => {}, 60_000)'])
  const fails: Step = { name: 'broken', run: async () => ['wrong'] }
  expect((await run([[sleeps], [fails]])).passed).toBe(false)
}, 10_000)
