import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type BundleManifest, SluiceError } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AlteredFileError,
  InvalidManifestError,
  MalformedManifestError,
  UnsupportedBundleVersionError,
} from './errors.ts'
import { parseManifest, serialiseManifest } from './manifest.ts'
import { createManifestJsonSchema } from './manifest-schema.ts'

const network = createRandomReferenceNetwork({ seed: 1, inputShape: [3, 2, 2], cutWidths: [4, 5], classCount: 3 })
const { manifest } = await createReferenceBundle(network)
const bytes = await serialiseManifest(manifest, 'test')

const identity = (value: unknown) => value

function parse(text: string): Promise<BundleManifest> {
  return parseManifest(new TextEncoder().encode(text), 'test')
}

/** Parses what another program sealed by the rule of the format: JSON, two spaces deep, the checksum last. */
function parseSealed(value: object): Promise<BundleManifest> {
  const checksum = createHash('sha256')
    .update(`${JSON.stringify(value, null, 2)}\n`)
    .digest('hex')
  return parse(`${JSON.stringify({ ...value, checksum }, null, 2)}\n`)
}

/** The manifest with the value at a path of keys replaced; `undefined` removes it. */
function change(path: readonly (string | number)[], value: unknown): object {
  const copy = structuredClone(manifest) as object
  let target = copy as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) target = target[key] as Record<string | number, unknown>
  target[path.at(-1) ?? ''] = value
  return copy
}

describe('parseManifest', () => {
  it('gives back what was written', async () => {
    expect(await parseManifest(bytes, 'test')).toEqual(manifest)
    expect(await parseSealed(manifest)).toEqual(manifest)
  })

  it('accepts a head in a file of its own', async () => {
    const separate = change(['stages', 0, 'headFile'], 'stage-1.json')
    expect(await parseSealed(separate)).toEqual(separate)
  })

  it('accepts a head that takes the scores of the gate in front', async () => {
    const cascade = change(['stages', 1, 'scoresInput'], 'scores-0')
    expect(await parseSealed(cascade)).toEqual(cascade)
  })

  it('accepts a gate that yields pooled features', async () => {
    const yielding = change(['stages', 1, 'features'], {
      output: 'features-1',
      width: manifest.stages[1]?.outputShape?.[0],
    })
    expect(await parseSealed(yielding)).toEqual(yielding)
  })

  it('accepts a calibrated bundle', async () => {
    const calibration: BundleManifest['calibration'] = {
      data: 'cifar10:data?split=test',
      samples: 5000,
      seed: 0,
      target: { maxDrop: 1, confidence: 0.95 },
      reference: 'labels',
      cost: 'macs',
      measured: { accuracy: 0.92, drop: 0.9, macsPerSample: 100, macsSaved: 0.4, exitShares: [0.3, 0.3, 0.4] },
      guarantee: { risk: 'accuracy-gap', bound: 0.01, samples: 2500, losses: 3, tuningSamples: 2500 },
    }
    expect(await parseSealed({ ...manifest, calibration })).toEqual({ ...manifest, calibration })
  })

  it.each<[string, readonly (string | number)[], unknown]>([
    ['stages[1].macs.head', ['stages', 1, 'macs', 'head'], -1],
    ['stages[0].outputShape[0]', ['stages', 0, 'outputShape', 0], 2.5],
    ['gates[1].policy.threshold', ['gates', 1, 'policy', 'threshold'], '0.5'],
    ['gates[0].head.loss', ['gates', 0, 'head', 'loss'], 'squared'],
    ['format', ['format'], 'caffe'],
    ['classes', ['classes'], []],
    ['stages', ['stages'], []],
    ['input.dataType', ['input', 'dataType'], 'float16'],
    ['input.std[0]', ['input', 'std'], [0]],
    ['input.resize', ['input', 'resize'], 0],
    ['files["stage-0.json"].sha256', ['files', 'stage-0.json', 'sha256'], 'abc'],
    ['calibration', ['calibration'], undefined],
    ['sluice.json', ['surprise'], 1],
  ])('names the field %s when its form is wrong', async (field, path, value) => {
    const failure = parseSealed(change(path, value))
    await expect(failure).rejects.toBeInstanceOf(InvalidManifestError)
    await expect(failure).rejects.toThrow(`invalid: ${field}: `)
  })

  it.each(['../evil', 'a/../../evil', '/etc/passwd', 'C:\\evil', 'a\\b', './a', 'a//b', '.hidden', ''])(
    'refuses the file name %j',
    async (path) => {
      const failure = parseSealed(change(['files', path], { sha256: '0'.repeat(64), bytes: 1 }))
      await expect(failure).rejects.toBeInstanceOf(InvalidManifestError)
      await expect(failure).rejects.toThrow(`files[${JSON.stringify(path)}]: not a plain path inside the bundle`)
    },
  )

  it.each<[string, readonly (string | number)[], unknown]>([
    ['stages[0].file', ['stages', 0, 'file'], 'other.json'],
    ['stages[0].headFile', ['stages', 0, 'headFile'], 'other.safetensors'],
    ['stages[2].headFile', ['stages', 2, 'headFile'], 'stage-2.json'],
    ['stages[0].scoresInput', ['stages', 0, 'scoresInput'], 'scores-0'],
    ['stages[1].scoresInput', ['stages', 1, 'scoresInput'], 'cut-0'],
    ['stages[2].scoresInput', ['stages', 2, 'scoresInput'], 'scores-1'],
    ['stages[2].features', ['stages', 2, 'features'], { output: 'features-2', width: 1 }],
    ['stages[1].features.width', ['stages', 1, 'features'], { output: 'features-1', width: 99 }],
    ['stages[1].features.output', ['stages', 1, 'features'], { output: 'scores-1', width: 2 }],
    ['stages[1].input', ['stages', 1, 'input'], 'elsewhere'],
    ['stages[0].input', ['stages', 0, 'input'], 'pixels'],
    ['stages[2].output', ['stages', 2, 'output'], 'cut-2'],
    ['stages[2].outputShape', ['stages', 2, 'outputShape'], [3]],
    ['stages[2].macs.head', ['stages', 2, 'macs', 'head'], 5],
    ['stages[0].output', ['stages', 0, 'output'], null],
    ['stages[1].outputShape', ['stages', 1, 'outputShape'], null],
    ['macs', ['macs'], 12345],
    ['gates', ['gates'], []],
    ['gates[1].stage', ['gates', 1, 'stage'], 0],
    ['gates[0].head.weightNorms', ['gates', 0, 'head', 'weightNorms'], [1]],
    ['gates[0].head.hidden', ['gates', 0, 'head'], { ...manifest.gates[0]?.head, kind: 'mlp', hidden: null }],
    ['input.std', ['input', 'mean'], [0.5]],
    ['input.mean', ['input'], { ...manifest.input, layout: 'NCHW', mean: [0, 0], std: [1, 1] }],
    ['input.resize', ['input'], { ...manifest.input, shape: [3, 4, 8], layout: 'NCHW', resize: 7 }],
    ['input.resize', ['input'], { ...manifest.input, shape: [4, 8, 3], layout: 'NHWC', resize: 7 }],
    ['files["sluice.json"]', ['files', 'sluice.json'], { sha256: '0'.repeat(64), bytes: 1 }],
  ])('names the field %s when it contradicts another', async (field, path, value) => {
    const failure = parseSealed(change(path, value))
    await expect(failure).rejects.toBeInstanceOf(InvalidManifestError)
    await expect(failure).rejects.toThrow(`${field}: `)
  })

  it('refuses unknown versions before it looks at anything else', async () => {
    const unheard = parse('{ "specVersion": "v2", "checksum": "unheard of" }')
    await expect(unheard).rejects.toBeInstanceOf(UnsupportedBundleVersionError)
    await expect(unheard).rejects.toThrow('has specVersion "v2"; this release reads \'v1\'')
  })

  it.each(['{}', 'null', '[]', JSON.stringify(manifest)])(
    'refuses a manifest without checksum: %.20s',
    async (text) => {
      await expect(parse(text)).rejects.toBeInstanceOf(InvalidManifestError)
    },
  )

  it('refuses text that is no JSON, wherever it was cut off', async () => {
    for (let length = 0; length < bytes.length - 2; length += 7) {
      await expect(parseManifest(bytes.subarray(0, length), 'test')).rejects.toBeInstanceOf(MalformedManifestError)
    }
    await expect(parseManifest(Uint8Array.of(0xff, 0xfe), 'test')).rejects.toBeInstanceOf(MalformedManifestError)
  })

  it('refuses every changed byte, also one that leaves valid JSON of the same meaning', async () => {
    // A digit for a digit, upper for lower case, tab for space and space for line feed.
    for (const difference of [1, 0x20, 0x20 ^ 0x09, 0x20 ^ 0x0a]) {
      for (const [position, byte] of bytes.entries()) {
        const failure = await parseManifest(bytes.with(position, byte ^ difference), 'test').catch(identity)
        expect(SluiceError.isInstance(failure), `byte ${position} ^ ${difference}: ${failure}`).toBe(true)
      }
    }
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, difference) => {
      const position = place % bytes.length
      const failure = await parseManifest(bytes.with(position, (bytes[position] ?? 0) ^ difference), 'test').catch(
        identity,
      )
      expect(SluiceError.isInstance(failure), String(failure)).toBe(true)
    })
    await fc.assert(property, { seed: 20181103, numRuns: 2000 })
  })

  it('names sluice.json and the way to change thresholds when it was altered by hand', async () => {
    const altered = parse(new TextDecoder().decode(bytes).replace('"threshold": null', '"threshold": 0.25'))
    await expect(altered).rejects.toBeInstanceOf(AlteredFileError)
    await expect(altered).rejects.toThrow(/^File 'sluice\.json' of bundle 'test' was altered.*'sluice calibrate'/)
  })

  it('accepts every random reference network', async () => {
    const networks = fc.record({
      seed: fc.nat(),
      inputShape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
      cutWidths: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
      classCount: fc.integer({ min: 1, max: 5 }),
      cascade: fc.boolean(),
    })
    const property = fc.asyncProperty(networks, async (options) => {
      const bundle = await createReferenceBundle(createRandomReferenceNetwork(options))
      expect(await parseManifest(await serialiseManifest(bundle.manifest, 'test'), 'test')).toEqual(bundle.manifest)
    })
    await fc.assert(property, { seed: 20181103 })
  })
})

describe('serialiseManifest', () => {
  it('refuses numbers that JSON would turn into null', async () => {
    const spoilt = change(['gates', 0, 'policy', 'threshold'], Number.POSITIVE_INFINITY) as BundleManifest
    await expect(serialiseManifest(spoilt, 'test')).rejects.toThrow('gates[0].policy.threshold')
  })
})

it('keeps the committed JSON Schema current; npm run schema -w packages/bundle writes it', async () => {
  const committed = await readFile(new URL('../schema/sluice.v1.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(committed)).toEqual(createManifestJsonSchema())
})
