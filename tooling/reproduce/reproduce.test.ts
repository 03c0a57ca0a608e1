import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expandPlaces, formatCommand, runCommand } from './command.ts'
import { describeData } from './describe-data.ts'
import { findBestPolicy } from './find-best-policy.ts'
import { findMainBlocks } from './find-main-blocks.ts'
import { findPlaces } from './find-places.ts'
import { judgeTargets } from './judge-targets.ts'
import { findNetwork, networks } from './networks.ts'
import { reproduction } from './result.ts'
import { formatResults, updateResultsPage } from './results-table.ts'
import { fullScale, smallScale } from './scale.ts'
import { createSteps } from './steps.ts'
import { makeUpResult } from './testing.ts'

describe('the networks', () => {
  test('are found by name, and an unknown name lists them', () => {
    expect(findNetwork('resnet101').title).toBe('ResNet-101, CIFAR-10')
    expect(() => findNetwork('resnet1')).toThrow(/'resnet1'; use one of resnet101, densenet201, imagenet/)
  })

  test('have main blocks that end in the last cut of their shape, at any width', () => {
    const cuts = [
      { tensor: 'a', shape: [32, 32, 32], share: 0.1 },
      { tensor: 'b', shape: [32, 32, 32], share: 0.2 },
      { tensor: 'c', shape: [64, 16, 16], share: 0.3 },
    ]
    const inspected = { macs: 1, parameters: 1, cuts }
    const blocks = findNetwork('resnet101').mainBlocks
    expect(findMainBlocks(inspected, blocks, 1 / 8)).toEqual(['b', 'c'])
    expect(() => findMainBlocks(inspected, blocks, 1)).toThrow('no cut of shape 256x32x32')
  })
})

describe('data', () => {
  test('are whole splits at full scale, halved at random for thresholds', () => {
    expect(describeData(findNetwork('resnet101'), fullScale)).toEqual({
      train: 'cifar10:$DATA?split=train',
      test: 'cifar10:$DATA?split=test',
      tuning: 'cifar10:$DATA?split=test&shuffle=0&limit=5000',
      judging: 'cifar10:$DATA?split=test&shuffle=0&skip=5000',
    })
  })

  test('are a random part of the training images, and the validation images, for ImageNet', () => {
    const { train, test, tuning } = describeData(findNetwork('imagenet'), fullScale)
    expect([train, test]).toEqual(['images:$DATA?split=train&shuffle=0&limit=50000', 'images:$DATA/val'])
    expect(tuning).toBe('images:$DATA/val?shuffle=0&limit=25000')
  })

  test('are few images at small scale, in halves that share none', () => {
    const { test, judging } = describeData(findNetwork('resnet20'), smallScale)
    expect([test, judging]).toEqual([
      'cifar10:$DATA?split=test&shuffle=0&limit=240',
      'cifar10:$DATA?split=test&shuffle=0&skip=120&limit=120',
    ])
  })
})

describe('places', () => {
  test('of ImageNet have to be named, but for the noise of the small scale', () => {
    const imagenet = findNetwork('imagenet')
    expect(() => findPlaces(imagenet, fullScale, {})).toThrow(/cannot be shipped: name its folder with --data/)
    expect(() => findPlaces(imagenet, fullScale, { data: '/no', weights: '/no' })).toThrow('/no does not exist')
    const { places, out } = findPlaces(imagenet, smallScale, { work: '/work' })
    expect([places.DATA, places.WEIGHTS, out]).toEqual(['/work/images', '/work/random.pth', '/work/result.json'])
  })
})

describe('commands', () => {
  test('name places, so that none of them tells where it ran', () => {
    const command = {
      program: 'sluice',
      args: ['bench', '$WORK/a.sluice', '--data', 'cifar10:$DATA?split=test'],
    } as const
    expect(formatCommand(command)).toBe('sluice bench $WORK/a.sluice --data "cifar10:$DATA?split=test"')
    expect(expandPlaces('cifar10:$DATA?split=test', { DATA: '/data' })).toBe('cifar10:/data?split=test')
    expect(() => expandPlaces('$NOWHERE/x', {})).toThrow('no place $NOWHERE')
  })

  test('answer with the JSON that they print', async () => {
    const print = (text: string) => ({ program: 'python', args: ['-e', `console.log('${text}')`] }) as const
    expect(await runCommand(print('{"x":1}'), {}, process.execPath)).toEqual({ x: 1 })
    await expect(runCommand(print('no'), {}, process.execPath)).rejects.toThrow(/printed no JSON but 'no/)
  })

  test('that fail or cannot be started end the run', async () => {
    const fail = { program: 'python', args: ['-e', 'process.exit(3)'] } as const
    await expect(runCommand(fail, {}, process.execPath)).rejects.toThrow('ended with status 3')
    await expect(runCommand(fail, {}, '/no/such/python')).rejects.toThrow('cannot be started')
  })
})

describe('steps', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-steps-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('that ended are kept up to the first one with another command', async () => {
    let runs = 0
    const run = async (first: string) => {
      const steps = createSteps(join(folder, 'steps'), () => {})
      const work = async () => ++runs
      return [(await steps.run('train', first, work)).answer, (await steps.run('attach', 'attach', work)).answer]
    }
    expect([await run('train 1'), await run('train 1'), await run('train 2')]).toEqual([
      [1, 2],
      [1, 2],
      [3, 4],
    ])
  })

  test('find their folder there', async () => {
    const steps = createSteps(join(folder, 'work/steps'), () => {})
    const { answer } = await steps.run('train', 'train', () => readdir(join(folder, 'work')))
    expect(answer).toEqual(['steps'])
  })

  test('that fail leave nothing behind', async () => {
    const steps = createSteps(folder, () => {})
    await expect(steps.run('train', 'train', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect((await steps.run('train', 'train', async () => 5)).answer).toBe(5)
  })
})

describe('the best policy', () => {
  const estimate = (median: number) => ({ median, low: median, high: median })
  const policy = (name: string, drop: number, macsSaved: number) => ({
    policy: name,
    atDrop: [{ maxDrop: 2, drop: estimate(drop), macsSaved: estimate(macsSaved) }],
    area: estimate(0.9),
  })
  const [safe, bold, worse] = [policy('safe', 1.9, 0.4), policy('bold', 2.2, 0.5), policy('worse', 1.9, 0.3)]

  test('saves most of those that keep to the drop, and of all where none does', () => {
    expect(findBestPolicy({ policies: [worse, bold, safe] }, 2)).toBe(safe)
    expect(findBestPolicy({ policies: [policy('timid', 2.1, 0.1), bold] }, 2)).toBe(bold)
  })

  test('is only sought at a drop that was judged', () => {
    expect(() => findBestPolicy({ policies: [safe] }, 1)).toThrow('not judged for a drop of 1 points')
    expect(() => findBestPolicy({ policies: [] }, 2)).toThrow('No policy')
  })
})

describe('the results', () => {
  const resnet101 = findNetwork('resnet101')

  test('meet their targets where enough is saved at a drop that is small enough', () => {
    const judge = (drop: number, macsSaved: number, timeSaved = 0.49) =>
      judgeTargets(resnet101, 'paper', makeUpResult('resnet101', { drop, macsSaved, timeSaved })).map(
        ({ isMet }) => isMet,
      )
    expect(judge(1.9, 0.45)).toEqual([true, true])
    expect(judge(2.1, 0.45)).toEqual([false, true])
    expect(judge(1.9, 0.43, 0.4)).toEqual([false, false])
    expect(judgeTargets(resnet101, 'best', null)).toEqual([
      { what: '60 % of the MACs at 2 points', isMet: false },
      { what: '0.95 of the ideal time', isMet: false },
    ])
  })

  test('give a row to each kind of gates, also where nothing was measured', () => {
    const result = makeUpResult('resnet101', { drop: 1.9, macsSaved: 0.45, timeSaved: 0.4 })
    const lines = formatResults(networks.map(({ name }) => (name === 'resnet101' ? result : null))).split('\n')
    expect(lines).toHaveLength(2 + 2 * networks.length)
    expect(lines[2]).toContain(
      "| 95.0 % | the paper's, at 25.0 % | 0.0 % (drop 0.00, softmax) | 45.0 % (drop 1.90, softmax) |",
    )
    expect(lines[2]).toContain('40.0 % (0.80 of the ideal)')
    expect(lines[4]).toContain('waits for a GPU')
    expect(lines[6]).toContain('cannot be shipped')
  })

  test.each([0, -0.02])('meet no share of an ideal time of %d', (idealTimeSaved) => {
    const figures = { drop: 1.9, macsSaved: 0.45, timeSaved: -0.05, idealTimeSaved }
    const result = makeUpResult('resnet101', figures)
    expect(judgeTargets(resnet101, 'paper', result).map(({ isMet }) => isMet)).toEqual([true, false])
    const lines = formatResults(networks.map(({ name }) => (name === 'resnet101' ? result : null))).split('\n')
    expect(lines[2]).toContain('| -5.0 % (the ideal is none) |')
  })

  test('are checked against their schema', () => {
    const result = makeUpResult('resnet101', { drop: 1, macsSaved: 0.4, timeSaved: 0.4 })
    expect(reproduction.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
    expect(() => reproduction.parse({ ...result, variants: [] })).toThrow()
    expect(() => reproduction.parse({ ...result, host: 'x' })).toThrow('host')
  })

  test('on the page are those of the committed files', async () => {
    const page = new URL('../../docs/results.md', import.meta.url)
    expect(await updateResultsPage(), 'npm run reproduce -- table').toBe(await readFile(page, 'utf8'))
  })
})
