import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DisposedError, InvalidArgumentError, UnsupportedBundleError } from '../errors.ts'
import { createReferenceBackend } from './backend.ts'
import { createReferenceBundle } from './bundle.ts'
import { createRandomBatch, createRandomReferenceNetwork } from './random.ts'

const network = createRandomReferenceNetwork({ seed: 3, inputShape: [4], cutWidths: [3, 2], classCount: 2 })

describe('createReferenceBundle', () => {
  it('describes stages, gates, costs and hashes truthfully', async () => {
    const { manifest, read } = await createReferenceBundle(network)
    expect(manifest.stages.map(({ input, output, outputShape }) => ({ input, output, outputShape }))).toEqual([
      { input: 'input', output: 'cut-0', outputShape: [3] },
      { input: 'cut-0', output: 'cut-1', outputShape: [2] },
      { input: 'cut-1', output: null, outputShape: null },
    ])
    expect(manifest.macs).toBe(manifest.stages.reduce((total, { macs }) => total + macs.backbone, 0))
    expect(manifest.gates.map(({ stage, policy }) => [stage, policy.threshold])).toEqual([
      [0, null],
      [1, null],
    ])
    for (const [path, { sha256, bytes }] of Object.entries(manifest.files)) {
      const content = await read(path)
      expect(content.length).toBe(bytes)
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256)
    }
  })

  it('says which heads take the scores of the gate in front', async () => {
    const options = { seed: 3, inputShape: [4], cutWidths: [3, 2], classCount: 2, cascade: true }
    const { manifest } = await createReferenceBundle(createRandomReferenceNetwork(options))
    expect(manifest.stages.map(({ scoresInput }) => scoresInput)).toEqual([undefined, 'scores-0', undefined])
  })

  it('refuses files it does not hold', async () => {
    await expect((await createReferenceBundle(network)).read('other.json')).rejects.toBeInstanceOf(InvalidArgumentError)
  })
})

describe('createReferenceBackend', () => {
  it('refuses bundles of another format', async () => {
    const bundle = await createReferenceBundle(network)
    const foreign = { ...bundle, manifest: { ...bundle.manifest, format: 'onnx' as const } }
    await expect(createReferenceBackend().load(foreign)).rejects.toBeInstanceOf(UnsupportedBundleError)
  })

  it('counts live handles and refuses the disposed ones', async () => {
    const model = await createReferenceBackend().load(await createReferenceBundle(network))
    const activation = await model.upload(createRandomBatch(1, 2, [4]))
    const result = await model.runStage(0, activation)
    expect(model.liveHandles).toBe(3)
    activation.dispose()
    activation.dispose()
    result.scores.dispose()
    expect(model.liveHandles).toBe(1)
    await expect(model.runStage(0, activation)).rejects.toBeInstanceOf(DisposedError)
    await expect(result.scores.read()).rejects.toBeInstanceOf(DisposedError)
  })

  it('refuses stages and rows that do not exist', async () => {
    const model = await createReferenceBackend().load(await createReferenceBundle(network))
    const activation = await model.upload(createRandomBatch(1, 2, [4]))
    await expect(model.runStage(3, activation)).rejects.toThrow('Stage 3 does not exist')
    await expect(model.selectRows(activation, Uint32Array.of(2))).rejects.toThrow('Row 2 does not exist')
  })
})
