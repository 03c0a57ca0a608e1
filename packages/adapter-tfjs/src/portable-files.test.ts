import { expect, test } from 'vitest'
import { InvalidTfjsModelError } from './errors.ts'
import { openNodeTfjs } from './node.ts'
import { openTfjsNetwork } from './open-tfjs-network.ts'
import { createConvGraph } from './testing/conv-graph.ts'
import { asModelFiles, type SavedModel } from './testing/saved-model.ts'

const tf = await openNodeTfjs('cpu')
const saved = createConvGraph()

/** The model with its first shards at other paths. */
function createWithPaths(...paths: string[]): SavedModel {
  const shards = Object.entries(saved.shards).map(([path, bytes], index) => [paths[index] ?? path, bytes] as const)
  const json = JSON.parse(new TextDecoder().decode(saved.json))
  json.weightsManifest[0].paths = shards.map(([path]) => path)
  // Spaces, so that a file written anew would differ.
  return { json: new TextEncoder().encode(JSON.stringify(json, null, 1)), shards: Object.fromEntries(shards) }
}

async function readFiles(model: SavedModel) {
  const network = await openTfjsNetwork(tf, asModelFiles(model))
  try {
    return await network.files()
  } finally {
    network.dispose()
  }
}

test('files at portable paths stay byte for byte', async () => {
  const model = createWithPaths('weights/a.bin', 'shard-0.bin')
  expect(await readFiles(model)).toEqual({ 'model.json': model.json, ...model.shards })
})

test.each([
  [
    ['./m.weights.bin', 'my model.bin', 'shard-0.bin'],
    ['m.weights.bin', 'shard-1.bin', 'shard-0.bin'],
  ],
  [
    ['.hidden', 'a/./b.bin', 'model.json'],
    ['shard-0.bin', 'a/b.bin', 'shard-1.bin'],
  ],
])('paths that a bundle refuses become plain ones, in model.json as well: %s', async (paths, names) => {
  const model = createWithPaths(...paths)
  const { 'model.json': json = new Uint8Array(), ...shards } = await readFiles(model)
  expect(Object.keys(shards)).toEqual(names)
  expect(Object.values(shards)).toEqual(Object.values(model.shards))
  const before = JSON.parse(new TextDecoder().decode(model.json))
  const after = JSON.parse(new TextDecoder().decode(json))
  expect(after.weightsManifest[0].paths).toEqual(names)
  expect({ ...after, weightsManifest: null }).toEqual({ ...before, weightsManifest: null })
  expect(after.weightsManifest[0].weights).toEqual(before.weightsManifest[0].weights)
  expect(await readFiles({ json, shards })).toEqual({ 'model.json': json, ...shards })
})

test.each(['../a.bin', 'a/../../b.bin', '..\\a.bin'])('a shard outside the folder is refused: %s', async (path) => {
  const failure = readFiles(createWithPaths(path))
  await expect(failure).rejects.toBeInstanceOf(InvalidTfjsModelError)
  await expect(failure).rejects.toThrow(`its shard '${path}' lies outside its folder`)
})
