import { DatasetError } from './errors.ts'

/** How the two binary versions of CIFAR store a record: label bytes, of which the last is the class, then the pixels. */
export interface CifarFormat {
  readonly name: string
  readonly labelBytes: number
  readonly classCount: number
}

/** One label byte, 10 classes. Format: https://www.cs.toronto.edu/~kriz/cifar.html */
export const cifar10Format: CifarFormat = { name: 'CIFAR-10', labelBytes: 1, classCount: 10 }

/** A coarse and a fine label byte; the fine one of 100 classes counts. Format: https://www.cs.toronto.edu/~kriz/cifar.html */
export const cifar100Format: CifarFormat = { name: 'CIFAR-100', labelBytes: 2, classCount: 100 }

/** `[channels, height, width]` of both versions. */
export const cifarSampleShape: readonly number[] = [3, 32, 32]

const pixelBytes = 3 * 32 * 32

/** The records of one or more files; `pixels` is `[records, 3, 32, 32]`. */
export interface CifarRecords {
  readonly pixels: Uint8Array
  readonly labels: Int32Array
}

/**
 * Parses the records of files of one format, joined in order.
 * @param files name and content, e.g. `{ name: 'test_batch.bin', bytes }`
 * @throws DatasetError for a file that is empty or not a whole number of records
 */
export function parseCifar(
  format: CifarFormat,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): CifarRecords {
  const recordBytes = format.labelBytes + pixelBytes
  for (const { name, bytes } of files) {
    if (bytes.length > 0 && bytes.length % recordBytes === 0) continue
    throw new DatasetError(
      `${name} has ${bytes.length} bytes, not a multiple of the ${recordBytes} bytes of a ${format.name} record; it is truncated or of another format. Download it again.`,
    )
  }
  const count = files.reduce((total, { bytes }) => total + bytes.length / recordBytes, 0)
  const pixels = new Uint8Array(count * pixelBytes)
  const labels = new Int32Array(count)
  let record = 0
  for (const { bytes } of files) {
    for (let start = 0; start < bytes.length; start += recordBytes, record++) {
      labels[record] = bytes[start + format.labelBytes - 1] as number
      pixels.set(bytes.subarray(start + format.labelBytes, start + recordBytes), record * pixelBytes)
    }
  }
  return { pixels, labels }
}

/** Class names, one per line. @throws DatasetError unless there are as many as the format has classes */
export function parseClassNames(format: CifarFormat, fileName: string, text: string): readonly string[] {
  const names = text.split('\n').map((line) => line.trim())
  const classes = names.filter((line) => line !== '')
  if (classes.length === format.classCount) return classes
  throw new DatasetError(
    `${fileName} names ${classes.length} classes; ${format.name} has ${format.classCount}. Take the file from the official archive.`,
  )
}
