import { describe, expect, test } from 'vitest'
import { cifar10Format, cifar100Format, parseCifar, parseClassNames } from './cifar.ts'

function record(labels: readonly number[], firstPixel: number): number[] {
  return [...labels, ...Array.from({ length: 3072 }, (_, i) => (firstPixel + i) % 256)]
}

describe('parseCifar', () => {
  test('reads label and pixels of records over several files, in order', () => {
    const files = [
      { name: 'a', bytes: Uint8Array.from([...record([3], 0), ...record([9], 10)]) },
      { name: 'b', bytes: Uint8Array.from(record([0], 20)) },
    ]
    const { pixels, labels } = parseCifar(cifar10Format, files)
    expect(Array.from(labels)).toEqual([3, 9, 0])
    expect([pixels[0], pixels[3072], pixels[2 * 3072], pixels[3 * 3072 - 1]]).toEqual([0, 10, 20, (20 + 3071) % 256])
  })

  test('takes the fine label of CIFAR-100', () => {
    const { labels, pixels } = parseCifar(cifar100Format, [{ name: 'a', bytes: Uint8Array.from(record([4, 77], 5)) }])
    expect(Array.from(labels)).toEqual([77])
    expect(pixels[0]).toBe(5)
  })

  test('refuses a truncated and an empty file, naming it, its size and the size of a record', () => {
    const whole = Uint8Array.from(record([1], 0))
    const files = (bytes: Uint8Array) => [
      { name: 'good.bin', bytes: whole },
      { name: 'short.bin', bytes },
    ]
    expect(() => parseCifar(cifar10Format, files(whole.subarray(1)))).toThrow(
      /short\.bin has 3072 bytes, not a multiple of the 3073 bytes of a CIFAR-10 record; it is truncated/,
    )
    expect(() => parseCifar(cifar10Format, files(new Uint8Array(0)))).toThrow(/short\.bin has 0 bytes/)
    expect(() => parseCifar(cifar100Format, files(whole))).toThrow(
      /good\.bin has 3073 bytes, not a multiple of the 3074/,
    )
  })
})

test('parseClassNames takes one name per line and refuses another number of names', () => {
  const text = `${Array.from({ length: 10 }, (_, i) => `class ${i}`).join('\r\n')}\n\n`
  expect(parseClassNames(cifar10Format, 'names.txt', text)[9]).toBe('class 9')
  expect(() => parseClassNames(cifar100Format, 'names.txt', text)).toThrow(
    /names\.txt names 10 classes; CIFAR-100 has 100/,
  )
})
