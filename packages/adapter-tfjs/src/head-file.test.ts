import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidHeadFileError } from './errors.ts'
import { type HeadFileLayer, readHeadFile, writeHeadFile } from './head-file.ts'

const layers: HeadFileLayer[] = [
  {
    inputs: 2,
    outputs: 3,
    activation: 'relu',
    weights: Float32Array.of(1, 2, 3, 4, 5, 6),
    bias: Float32Array.of(7, 8, 9),
  },
  { inputs: 3, outputs: 1, activation: 'none', weights: Float32Array.of(-1, 0.5, 1e-30), bias: Float32Array.of(0.25) },
]
const bytes = writeHeadFile({ layers })

/** The file with its header changed and its values kept. */
function changeHeader(change: (header: Record<string, unknown>) => object): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  const text = new TextEncoder().encode(JSON.stringify(change(header)))
  const changed = new Uint8Array(8 + text.length + bytes.length - 8 - length)
  new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true)
  changed.set(text, 8)
  changed.set(bytes.subarray(8 + length), 8 + text.length)
  return changed
}

describe('a head file', () => {
  test('gives back the layers that were written, also from the middle of a larger buffer', () => {
    expect(readHeadFile(bytes)).toEqual({ layers })
    const larger = new Uint8Array(bytes.length + 3)
    larger.set(bytes, 3)
    expect(readHeadFile(larger.subarray(3))).toEqual({ layers })
    // Node's Buffer is a Uint8Array whose slice() shares memory.
    expect(readHeadFile(Buffer.from(larger).subarray(3))).toEqual({ layers })
    expect(readHeadFile(changeHeader((header) => header))).toEqual({ layers })
  })

  test('gives back convolutions, and refuses maps that do not follow each other', () => {
    const dense = layers[1] as HeadFileLayer
    const convolve = (height: number): HeadFileLayer => ({
      ...{ inputs: 9, outputs: 1, activation: 'relu', weights: new Float32Array(9).fill(2), bias: Float32Array.of(1) },
      convolution: { height, width: 4 },
    })
    const behind = { ...dense, inputs: 8, weights: new Float32Array(8) }
    const one = [convolve(7), behind]
    expect(readHeadFile(writeHeadFile({ layers: one }))).toEqual({ layers: one })
    const refused = [
      [convolve(7), convolve(4), behind],
      [convolve(7), { ...behind, inputs: 7, weights: new Float32Array(7) }],
      [behind, convolve(7)],
    ]
    for (const wrong of refused) {
      expect(() => readHeadFile(writeHeadFile({ layers: wrong }))).toThrow(InvalidHeadFileError)
    }
    const offsets = { dtype: 'F32', shape: [1], data_offsets: [0, 4] }
    expect(() => readHeadFile(changeHeader((h) => ({ ...h, centre_0: offsets })))).toThrow(/'centre_0'/)
    expect(() =>
      readHeadFile(changeHeader((h) => ({ ...h, __metadata__: { activations: 'none', maps: '0x4' } }))),
    ).toThrow("map of '0x4'")
  })

  test('is laid out as safetensors', () => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: { activations: 'relu,none' },
      weights_0: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      bias_0: { dtype: 'F32', shape: [3], data_offsets: [24, 36] },
      weights_1: { dtype: 'F32', shape: [3, 1], data_offsets: [36, 48] },
      bias_1: { dtype: 'F32', shape: [1], data_offsets: [48, 52] },
    })
    expect(bytes.length).toBe(8 + length + 52)
  })

  test('cut off anywhere is refused', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readHeadFile(bytes.subarray(0, length)), `${length} bytes`).toThrow(InvalidHeadFileError)
    }
  })

  test.each<[string, (header: Record<string, unknown>) => object, string]>([
    ['no activations', ({ __metadata__, ...rest }) => rest, "the activation ''"],
    ['an unknown activation', (header) => ({ ...header, __metadata__: { activations: 'gelu' } }), "'gelu'"],
    ['a layer without bias', ({ bias_1, ...rest }) => rest, "no float32 tensor 'bias_1' of rank 1"],
    ['another element type', (h) => ({ ...h, bias_0: { dtype: 'F16', shape: [3], data_offsets: [0, 6] } }), "'bias_0'"],
    [
      'values outside',
      (h) => ({ ...h, bias_1: { dtype: 'F32', shape: [1], data_offsets: [52, 56] } }),
      '52 to 56 of 52',
    ],
    [
      'a bias of another width',
      (h) => ({ ...h, bias_1: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }),
      '2 biases',
    ],
    ['no object', () => [], "the activation ''"],
  ])('with %s is refused', (_, change, message) => {
    expect(() => readHeadFile(changeHeader(change))).toThrow(InvalidHeadFileError)
    expect(() => readHeadFile(changeHeader(change))).toThrow(message)
  })

  test('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (random) => {
        expect(() => readHeadFile(random)).toThrow(InvalidHeadFileError)
      }),
      { seed: 20181103 },
    )
  })
})
