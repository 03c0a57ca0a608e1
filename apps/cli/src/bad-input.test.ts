import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeNpy } from '@sluice/datasets'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSluice } from './testing/run-sluice.ts'
import { drawTinyImages, tinyNormalisation, writeAt, writeTinyData, writeTinyNetwork } from './testing/tiny-files.ts'

let folder: string
let network: string
let training: string
let bundle: string
let images: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-bad-'))
  network = await writeTinyNetwork(folder, 'tiny.onnx')
  training = await writeTinyData(folder, 'training', { rows: 300, seed: 1 })
  bundle = join(folder, 'tiny.sluice')
  images = join(folder, 'images')
  await writeImages(images, ['a', 'b', 'c', 'd'], 100)
  const options = ['--at', 'relu_1', '--head', 'linear', ...tinyNormalisation]
  const { status, stderr } = await runSluice('attach', network, '--data', training, '--out', bundle, ...options)
  expect(status, stderr).toBe(0)
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Runs a command that must fail with one line on standard error, nothing on standard output and nothing written. */
async function expectRefusal(args: readonly string[], status: number, message: RegExp): Promise<void> {
  const before = await readdir(folder)
  const run = await runSluice(...args)
  expect(run.stderr).toMatch(/^sluice: [^\n]*\n$/)
  expect(run.stderr).toMatch(message)
  expect(run).toMatchObject({ status, stdout: '' })
  expect(await readdir(folder)).toEqual(before)
}

const attachTo = (model: string, data: string, ...options: string[]) => [
  ...['attach', model, '--data', data, '--out', join(folder, 'never'), '--at', 'relu_1', '--head', 'linear'],
  ...(options.length === 0 ? tinyNormalisation : options),
]

it('a policy that the bundle was not calibrated for is refused', async () => {
  const args = ['evaluate', bundle, '--data', training, '--policy']
  await expectRefusal([...args, 'entropy'], 2, /chosen for the policy 'softmax'; run sluice calibrate --policy entropy/)
  expect((await runSluice(...args, 'softmax')).status).toBe(0)
})

describe('a model', () => {
  it('that is missing, a folder, cut off or no ONNX file is refused', async () => {
    const cut = await writeAt(join(folder, 'cut.onnx'), (await readFile(network)).subarray(0, 5000))
    const text = await writeAt(join(folder, 'text.onnx'), 'A model, says the name.')
    for (const [file, message] of [
      [join(folder, 'none.onnx'), /none\.onnx cannot be read as an ONNX model: .*Check the path\./],
      [folder, /cannot be read as an ONNX model: .*directory.*Check the path\./],
      [cut, /cut\.onnx cannot be read as an ONNX model: .*complete\./],
      [text, /text\.onnx cannot be read as an ONNX model: .*complete\./],
    ] as const) {
      await expectRefusal(['inspect', file], 1, message)
      await expectRefusal(attachTo(file, training), 1, message)
    }
  })

  it('of two inputs or without class scores is refused', async () => {
    const pair = await writeTinyNetwork(folder, 'pair.onnx', { hasSecondInput: true })
    await expectRefusal(attachTo(pair, training), 2, /The model has 2 inputs; gates need a model with one\./)
    const map = await writeTinyNetwork(folder, 'map.onnx', { givesMap: true })
    await expectRefusal(attachTo(map, training), 2, /output is .* \[batch, 8, 8, 8\]; gates need class scores/)
  })

  it('that answers NaN is refused', async () => {
    const odd = await writeTinyNetwork(folder, 'odd.onnx', { oddWeight: Number.NaN })
    await expectRefusal(attachTo(odd, training), 1, /scores holds NaN in row 0/)
  })

  it('without the cut, with a half-named or unfitting normalisation, or a size below its own is refused', async () => {
    const attach = ['attach', network, '--data', training, '--out', join(folder, 'never')]
    await expectRefusal([...attach, '--at', 'nowhere'], 2, /no cut 'nowhere' for a gate; sluice inspect lists the cuts/)
    await expectRefusal([...attach, '--gates', '40'], 2, /40 gates are not possible; the network has 3 cuts/)
    await expectRefusal(attachTo(network, training, '--mean', '0.5'), 2, /--mean and --std together/)
    await expectRefusal(attachTo(network, training, '--mean', '0', '--std', '1'), 2, /give 3 values of each/)
    await expectRefusal(attachTo(network, training, '--resize', '7'), 2, /--resize 7 is less than .* 8 x 8 pixels/)
  })
})

describe('data', () => {
  it('of another shape than the input are refused before the network runs', async () => {
    await expectRefusal(attachTo(network, 'glyphs'), 1, /glyphs train has shape \[3, 32, 32\]; pass \[3, 8, 8\]/)
    const wide = await writeAt(join(folder, 'wide.npy'), encodeNpy(new Float32Array(3 * 8 * 9), [1, 3, 8, 9]))
    await expectRefusal(['evaluate', bundle, '--data', `npy:${wide}`], 1, /wide\.npy has shape \[3, 8, 9\]/)
  })

  it('with labels out of range, or another number of classes, are refused', async () => {
    const outside = Int32Array.from({ length: 200 }, (_, row) => (row === 7 ? 9 : row % 4))
    const data = await writeTinyData(folder, 'outside', { rows: 200, seed: 3, labels: outside })
    await expectRefusal(attachTo(network, data), 2, /network has 4 classes and .* 10/)
    await expectRefusal(['calibrate', bundle, '--data', data, '--max-drop', '1'], 1, /sample 7 with 9, outside 0\.\.3/)
    const classes = await writeAt(join(folder, 'five.txt'), 'a\nb\nc\nd\ne\n')
    await expectRefusal([...attachTo(network, training), '--classes', classes], 2, /4 classes and the class list 5/)
    const three = join(folder, 'three')
    await writeImages(three, ['a', 'b', 'c'], 2)
    await expectRefusal(['evaluate', bundle, '--data', `images:${three}`], 1, /3 classes and the network 4/)
  })

  it('that hold NaN are refused with the sample', async () => {
    const pixels = drawTinyImages(200, 4)
    pixels[150 * 192 + 5] = Number.NaN
    const file = await writeAt(join(folder, 'nan.npy'), encodeNpy(pixels, [200, 3, 8, 8]))
    const labels = await writeAt(join(folder, 'nan-labels.npy'), encodeNpy(new Int32Array(200).fill(3), [200]))
    const data = `npy:${file},${labels}`
    await expectRefusal(attachTo(network, data), 1, /nan\.npy holds NaN in row 150/)
    await expectRefusal(['evaluate', bundle, '--data', data, '--batch', '50'], 1, /nan\.npy holds NaN in row 150/)
  })

  it('whose description is wrong, or which do not exist, are refused', async () => {
    const evaluate = (data: string) => ['evaluate', bundle, '--data', data]
    await expectRefusal(evaluate('photos:here'), 2, /'photos' is no kind of data; use one of cifar10/)
    await expectRefusal(evaluate(`${training}?limit=0`), 2, /limit=0 is not a whole number from 1/)
    await expectRefusal(evaluate(`${training}?skip=300`), 2, /No samples are left of 300/)
    await expectRefusal(evaluate('cifar10:nowhere'), 1, /nowhere does not exist; check the path/)
  })

  it('in a folder with unreadable files leave those out by name up to one in a hundred, and are refused above', async () => {
    await writeFile(join(images, 'b', '3.png'), 'no image')
    await writeFile(join(images, 'c', '4.png'), '')
    const evaluate = ['evaluate', bundle, '--data', `images:${images}`]
    const { status, stdout, stderr } = await runSluice(...evaluate, '--json')
    expect(status, stderr).toBe(0)
    expect(JSON.parse(stdout).samples).toBe(398)
    expect(stderr).toMatch(
      /2 of 400 files of .* cannot be read as images: .*b\/3\.png, .*c\/4\.png\. They are left out/,
    )
    for (const name of ['5', '6', '7']) await writeFile(join(images, 'd', `${name}.png`), 'no image')
    await expectRefusal(evaluate, 1, /5 of 400 files .*d\/5\.png.*More than 1 % is refused/)
  })
})

describe('a bundle', () => {
  const evaluateWith = (path: string) => ['evaluate', path, '--data', training]

  it('that is missing or a folder of other files is refused', async () => {
    await expectRefusal(evaluateWith(join(folder, 'none')), 1, /There is no folder '.*none'.*sluice attach/)
    await expectRefusal(evaluateWith(folder), 1, /is not a bundle: it holds no sluice\.json/)
  })

  it('with a changed byte in a stage or in its manifest, or of another version, is refused', async () => {
    const stage = join(bundle, 'stage-0.onnx')
    const bytes = await readFile(stage)
    await writeFile(stage, bytes.with(900, (bytes[900] ?? 0) ^ 1))
    await expectRefusal(evaluateWith(bundle), 1, /'stage-0\.onnx' of bundle .* was altered/)
    await writeFile(stage, bytes.subarray(0, 900))
    await expectRefusal(evaluateWith(bundle), 1, /'stage-0\.onnx' of bundle .* cut off/)
    await writeFile(stage, bytes)
    const manifest = join(bundle, 'sluice.json')
    const text = await readFile(manifest, 'utf8')
    const calibrate = ['calibrate', bundle, '--data', training, '--max-drop', '1']
    for (const [altered, message] of [
      [
        text.replace('"threshold": null', '"threshold": 0.1'),
        /'sluice\.json' of bundle .* was altered.*sluice calibrate/,
      ],
      [text.replace('"specVersion": "v1"', '"specVersion": "v2"'), /has specVersion "v2"; this release reads 'v1'/],
      [text.slice(0, 300), /sluice\.json of .* is not valid JSON/],
    ] as const) {
      await writeFile(manifest, altered)
      await expectRefusal(evaluateWith(bundle), 1, message)
      await expectRefusal(calibrate, 1, message)
      expect(await readFile(manifest, 'utf8')).toBe(altered)
    }
    await writeFile(manifest, text)
  })
})

describe('a file for predict', () => {
  it('that is no image or does not exist is refused', async () => {
    await expectRefusal(['predict', bundle, network], 1, /tiny\.onnx cannot be read as an image .* pass a whole JPEG/)
    await expectRefusal(['predict', bundle, join(folder, 'none.png')], 1, /none\.png cannot be read as an image/)
  })
})

describe('arguments', () => {
  it.each([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['a missing argument', ['inspect'], /missing required argument 'model'/],
    ['a missing option', ['evaluate', 'x'], /required option '--data <data>' not specified/],
    ['an unknown option', ['inspect', 'x', '--thread', '1'], /unknown option '--thread'/],
    ['an extra argument', ['inspect', 'x', 'y'], /too many arguments/],
    ['no thread', ['inspect', 'x', '--threads', '0'], /--threads 0 is not a whole number from 1 on/],
    ['half a seed', ['inspect', 'x', '--seed', '0.5'], /--seed 0\.5 is not a whole number from 0 on/],
    ['a shape without numbers', ['inspect', 'x', '--input', '1,a'], /--input 1,a is not a list of whole numbers/],
    [
      'a negative drop',
      ['calibrate', 'x', '--data', 'glyphs', '--max-drop', '-1'],
      /--max-drop -1 is not a number from 0/,
    ],
    [
      'an unknown policy',
      ['calibrate', 'x', '--data', 'glyphs', '--max-drop', '1', '--policy', 'x'],
      /choices are softmax/,
    ],
    ['a batch of nothing', ['bench', 'x', '--data', 'glyphs', '--batch', '4,0'], /--batch 4,0 is not a list of whole/],
    ['no number of gates', ['attach', 'x', '--data', 'glyphs', '--out', 'y', '--gates', 'few'], /--gates few is not/],
    [
      'gates placed twice',
      ['attach', 'x', '--data', 'glyphs', '--out', 'y', '--gates', '2', '--at', 'a'],
      /cannot be used with/,
    ],
    ['an unknown loss', ['attach', 'x', '--data', 'glyphs', '--out', 'y', '--loss', 'x'], /choices are hinge/],
  ])('with %s end with status 2 and at most three lines', async (_, args, message) => {
    const { status, stdout, stderr } = await runSluice(...args)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^sluice: /)
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3)
  })
})

async function writeImages(place: string, classes: readonly string[], perClass: number): Promise<void> {
  for (const [index, name] of classes.entries()) {
    await mkdir(join(place, name), { recursive: true })
    const background = { r: 60 * index, g: 128, b: 255 - 60 * index }
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png()
      .toBuffer()
    await Promise.all(Array.from({ length: perClass }, (_, i) => writeFile(join(place, name, `${i}.png`), png)))
  }
}
