import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../errors.ts'
import { nameClasses } from '../labels.ts'
import { readDataFile, unreadable } from './files.ts'

/** Image files with the class of each, an index into `classes`. */
export interface ImageList {
  readonly classes: readonly string[]
  readonly entries: readonly ImageEntry[]
}

export interface ImageEntry {
  readonly path: string
  readonly label: number
}

interface NamedImage {
  readonly path: string
  readonly className: string
}

/**
 * The images of a folder: what `images.csv` in it lists, else the files in its class folders. Hidden names are left out.
 * Classes are in code-point order of their names, or in the order of `wanted` where they have its names; numbers in
 * `images.csv` are indices.
 *
 * @param wanted class names of the network
 * @throws DatasetError when there are no images, a line of `images.csv` is malformed, or a class is unknown
 */
export async function listImages(folder: string, wanted?: readonly string[]): Promise<ImageList> {
  const names = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause)
  })
  const table = join(folder, 'images.csv')
  if (names.some((entry) => entry.name === 'images.csv')) {
    return labelImages(table, parseImageTable(folder, table, await readDataFile(table)), wanted, true)
  }
  const classNames = names.filter((entry) => entry.isDirectory() && isVisible(entry.name)).map((entry) => entry.name)
  const images = await Promise.all(classNames.sort().map((className) => listClass(folder, className)))
  return labelImages(folder, images.flat(), wanted, false)
}

async function listClass(folder: string, className: string): Promise<readonly NamedImage[]> {
  const entries = await readdir(join(folder, className), { withFileTypes: true })
  const names = entries.filter((entry) => !entry.isDirectory() && isVisible(entry.name)).map((entry) => entry.name)
  return names.sort().map((name) => ({ path: join(folder, className, name), className }))
}

const isVisible = (name: string) => !name.startsWith('.')

/** Two columns as in RFC 4180, an optional first line `file,label`, paths relative to the folder. */
function parseImageTable(folder: string, table: string, bytes: Uint8Array): readonly NamedImage[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/)
  return lines.flatMap((line, index) => {
    if (line === '' || (index === 0 && line === 'file,label')) return []
    const [, file, className] = /^("(?:[^"]|"")+"|[^",]+),("(?:[^"]|"")+"|[^",]+)$/.exec(line) ?? []
    if (file === undefined || className === undefined) {
      throw new DatasetError(`${table}, line ${index + 1}: '${line}' is not 'file,label'; quote values with commas.`)
    }
    return [{ path: join(folder, unquote(file)), className: unquote(className) }]
  })
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value
}

function labelImages(
  source: string,
  images: readonly NamedImage[],
  wanted: readonly string[] | undefined,
  numbersAreIndices: boolean,
): ImageList {
  if (images.length === 0) {
    throw new DatasetError(
      `${source} lists no images; pass a folder with one folder of images per class or an images.csv (add ?split=train or ?split=test where it holds those).`,
    )
  }
  if (numbersAreIndices && images.every(({ className }) => /^\d+$/.test(className))) {
    const labels = Int32Array.from(images, ({ className }) => Number(className))
    const classes = nameClasses(source, labels, wanted)
    return { classes, entries: images.map(({ path }, i) => ({ path, label: labels[i] as number })) }
  }
  const classes = orderClasses(source, new Set(images.map(({ className }) => className)), wanted)
  const labels = new Map(classes.map((name, label) => [name, label]))
  return { classes, entries: images.map(({ path, className }) => ({ path, label: labels.get(className) ?? -1 })) }
}

/** Where no name is the network's, the classes go by position; where some are and some not, one of both lists is wrong. */
function orderClasses(source: string, found: ReadonlySet<string>, wanted: readonly string[] = []): readonly string[] {
  const unknown = [...found].filter((name) => !wanted.includes(name))
  if (unknown.length === found.size) return unknown.sort()
  if (unknown.length === 0) return wanted
  throw new DatasetError(
    `${source} has the class '${unknown[0]}', which the network does not know; rename it to one of ${wanted.join(', ')}.`,
  )
}
