import { constants } from 'node:buffer'
import { mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ExternalDataError, InvalidOnnxFileError } from './errors.ts'
import { TensorProto_DataLocation, TensorProtoSchema } from './generated/onnx_pb.ts'
import { createGraphBuilder } from './graph-builder.ts'
import { createFolderReader, readOnnxFile, writeOnnxFile } from './node.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { convertTensorProtoToTensor } from './tensor-proto.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-onnx-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

function buildAddOne(): OnnxModel {
  const builder = createGraphBuilder({ name: 'add-one' })
  const input = builder.input('x', 'float32', ['batch', 2])
  const one = builder.initializer('one', { type: 'float32', dims: [], data: Float32Array.of(1) })
  builder.output(builder.node('Add', [input, one], {}, 'y'), 'float32', ['batch', 2])
  return builder.buildModel()
}

/** A weight that lies in another file. */
function externalWeight(location: string, offset: string, length: string) {
  const entries = { location, offset, length }
  return create(TensorProtoSchema, {
    name: 'weight',
    dims: [2n],
    dataType: 1,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  })
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

describe('reading and writing model files', () => {
  test('a written model reads back the same, in one read or many, and leaves no other file', async () => {
    const path = join(folder, 'model.onnx')
    await writeOnnxFile(path, buildAddOne())
    const bytes = writeOnnxModel(buildAddOne())
    expect(writeOnnxModel(await readOnnxFile(path))).toEqual(bytes)
    expect(writeOnnxModel(await readOnnxFile(path, { chunkBytes: 7 }))).toEqual(bytes)
    expect(await readdir(folder)).toEqual(['model.onnx'])
  })

  test('a file that is missing, a folder, empty or cut short is refused by name', async () => {
    const short = join(folder, 'short.onnx')
    const empty = join(folder, 'empty.onnx')
    await writeFile(short, writeOnnxModel(buildAddOne()).subarray(0, -9))
    await writeFile(empty, '')
    for (const path of [join(folder, 'absent.onnx'), folder, empty, short]) {
      await expect(readOnnxFile(path)).rejects.toThrow(InvalidOnnxFileError)
      await expect(readOnnxFile(path)).rejects.toThrow(path)
    }
  })

  test('a failed write leaves the old file and nothing else', async () => {
    const target = join(folder, 'taken')
    await expect(writeOnnxFile(join(target, 'model.onnx'), buildAddOne())).rejects.toThrow('ENOENT')
    expect(await readdir(folder)).not.toContain('taken')
  })

  test('a file that fits into no array is refused before it is read', async ({ skip }) => {
    const sizeBytes = constants.MAX_LENGTH + 1
    if (sizeBytes > 2 ** 40) skip('arrays may be larger than any file here')
    const path = join(folder, 'huge.onnx')
    await writeFile(path, '')
    await truncate(path, sizeBytes)
    await expect(readOnnxFile(path)).rejects.toThrow(`${sizeBytes} bytes`)
  })

  test('a model over 2 GiB with its weights inside is parsed', () => {
    const sizeBytes = 2 ** 31 + 8
    // A second initialiser, merged into the first graph as protobuf prescribes.
    const tensor = [...[0x08, ...varint(sizeBytes / 4)], ...[0x10, 1], ...[0x42, 1, 0x77], 0x4a, ...varint(sizeBytes)]
    const initializer = [0x2a, ...varint(tensor.length + sizeBytes), ...tensor]
    const head = [0x3a, ...varint(initializer.length + sizeBytes), ...initializer]
    const small = writeOnnxModel(buildAddOne())
    // The system backs only the pages that are touched, so that the hole in the middle costs nothing.
    const bytes = new Uint8Array(small.length + head.length + sizeBytes)
    bytes.set(small)
    bytes.set(head, small.length)
    bytes.set([5, 6, 7, 8], bytes.length - 4)
    const { graph } = readOnnxModel(bytes)
    expect(graph.initializer.map(({ name, rawData }) => [name, rawData.length])).toEqual([
      ['one', 4],
      ['w', sizeBytes],
    ])
    expect(graph.initializer.at(-1)?.rawData.subarray(-4)).toEqual(Uint8Array.of(5, 6, 7, 8))
  })
})

describe('weights in other files', () => {
  test('are read at offsets over 4 GiB without reading what lies before', async () => {
    const path = join(folder, 'weights.bin')
    await writeFile(path, '')
    const offset = 5 * 2 ** 30
    const file = await open(path, 'r+')
    await file.write(Float32Array.of(3, 4), 0, 8, offset)
    await file.close()
    const weight = convertTensorProtoToTensor(
      externalWeight('weights.bin', String(offset), '8'),
      createFolderReader(folder),
    )
    expect(weight.data).toEqual(Float32Array.of(3, 4))
  })

  const refused = [
    ['that is missing', 'absent.bin', '0', '8'],
    ['that is too short', 'four.bin', '0', '8'],
    ['at a negative offset', 'four.bin', '-8', '8'],
    ['at an offset that is no number', 'four.bin', 'x', '8'],
    ['of an impossible length', 'four.bin', '0', '1e300'],
    ['outside the folder', '../four.bin', '0', '4'],
    ['outside the folder by a detour', 'a/../../four.bin', '0', '4'],
    ['at an absolute path', '/etc/passwd', '0', '4'],
    ['without a name', '', '0', '4'],
    ['that is a folder', '.', '0', '4'],
  ] as const

  test.each(refused)('a file %s is refused by name', async (_, location, offset, length) => {
    await writeFile(join(folder, 'four.bin'), new Uint8Array(4))
    const weight = externalWeight(location, offset, length)
    const read = () => convertTensorProtoToTensor(weight, createFolderReader(folder))
    expect(read).toThrow(ExternalDataError)
    expect(read).toThrow(`'${location}'`)
  })
})
