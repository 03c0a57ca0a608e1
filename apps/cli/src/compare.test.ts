import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { policyFamilies } from '@sluice/app-train'
import { beforeAll, describe, expect, it } from 'vitest'
import { runSluice, runSluiceForJson } from './testing/run-sluice.ts'
import { tinyNormalisation, writeTinyNetwork } from './testing/tiny-files.ts'
import { useTinyData } from './testing/use-tiny-data.ts'

const tiny = useTinyData('compare')
let bundle: string

beforeAll(async () => {
  bundle = join(tiny.folder, 'tiny.sluice')
  const options = ['--data', tiny.training, ...tinyNormalisation, '--head', 'linear', '--at', 'relu_1,relu_3']
  const network = await writeTinyNetwork(tiny.folder, 'tiny.onnx')
  const { status, stderr } = await runSluice('attach', network, ...options, '--out', bundle)
  expect(status, stderr).toBe(0)
})

describe('sluice compare', () => {
  interface Answer {
    policies: { policy: string; atDrop: { maxDrop: number }[]; time?: { size: number; timeSaved: number }[] }[]
  }

  it('tunes and judges every policy on the same gates, and times what it chose', async () => {
    const timed = ['--batch', '8', '--rows', '8', '--rounds', '1'] as const
    const answer = await runSluiceForJson<Answer>('compare', bundle, '--data', tiny.unseen, '--splits', '1', ...timed)
    expect(Object.keys(answer)).toEqual([
      'name',
      'data',
      'samples',
      'splits',
      'seed',
      'intervals',
      'fullMacs',
      'fullAccuracy',
      'leastShare',
      'policies',
    ])
    expect(answer).toMatchObject({ samples: 400, splits: 1, seed: 0, fullMacs: 89600 })
    const families = policyFamilies.filter(({ usesFeatures }) => !usesFeatures)
    expect(answer.policies.map(({ policy }) => policy)).toEqual(families.map(({ name }) => name))
    for (const policy of answer.policies) {
      expect(Object.keys(policy)).toEqual(['policy', 'source', 'atDrop', 'atShare', 'area', 'curve', 'time'])
      expect(policy.time).toEqual([expect.objectContaining({ size: 8, timeSaved: expect.any(Number) })])
    }
  })

  it('takes policies by name, leaves the clock out, and writes JSON, Markdown and a page, never over files unasked', async () => {
    const out = join(tiny.folder, 'comparison')
    const options = ['--data', tiny.unseen, '--splits', '1', '--no-time', '--policy', 'softmax', '--policy', 'patience']
    const args = ['compare', bundle, ...options, '--out', out]
    const { status, stdout, stderr } = await runSluice(...args)
    expect(status, stderr).toBe(0)
    const json: Answer = JSON.parse(await readFile(join(out, 'comparison.json'), 'utf8'))
    expect(json.policies.map(({ policy, time }) => [policy, time])).toEqual([
      ['softmax', undefined],
      ['patience', undefined],
    ])
    expect(stdout).toContain(await readFile(join(out, 'comparison.md'), 'utf8'))
    expect(await readFile(join(out, 'comparison.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
    const again = await runSluice(...args)
    expect(again.status).toBe(1)
    expect(again.stderr).toMatch(/comparison\.json was not written: it exists\. Add --force to replace it/)
    expect((await runSluice(...args, '--force')).status).toBe(0)
  })

  it('refuses batches that the judged half does not fill, before it runs anything', async () => {
    const { status, stderr } = await runSluice('compare', bundle, '--data', tiny.unseen, '--batch', '16,201')
    expect(status).toBe(2)
    expect(stderr).toMatch(
      /^sluice: Half of the 400 samples are judged, too few for a timed batch of 201; .*--no-time\.\n$/,
    )
  })

  it('refuses policies that do not exist, data without labels, and leaves no folder behind', async () => {
    const out = join(tiny.folder, 'refused')
    const unknown = await runSluice('compare', bundle, '--data', tiny.unseen, '--policy', 'guess', '--out', out)
    expect(unknown).toMatchObject({ status: 2, stdout: '' })
    expect(unknown.stderr).toMatch(/^sluice: There is no policy 'guess'; use one of softmax, .*\n$/)
    const data = `npy:${join(tiny.folder, 'unseen.npy')}`
    const unlabelled = await runSluice('compare', bundle, '--data', data, '--out', out)
    expect(unlabelled.status).toBe(2)
    expect(unlabelled.stderr).toContain('no labels')
    expect(await readdir(tiny.folder)).not.toContain('refused')
  })
})
