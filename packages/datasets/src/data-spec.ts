import { DataSpecError } from './errors.ts'
import type { Selection } from './select.ts'

/** The kinds of data, and which parts of a DATA string each takes. */
const kinds = {
  cifar10: { path: true, splits: true },
  cifar100: { path: true, splits: true },
  idx: { path: true, splits: true },
  images: { path: true, splits: true },
  npy: { path: true, splits: false },
  glyphs: { path: false, splits: true },
} as const

/** First part of a DATA string. */
export type DataKind = keyof typeof kinds

/** Part of a dataset that its makers keep for training or for testing. */
export type Split = 'train' | 'test'

/** A parsed DATA string `KIND:PATH[?split=train|test&limit=N&skip=N&shuffle=SEED]`. */
export interface DataSpec {
  readonly kind: DataKind
  /** As written; empty for `glyphs`. */
  readonly path: string
  /** Null where the string names none. */
  readonly split: Split | null
  readonly selection: Selection
}

/** @throws DataSpecError for an unknown kind, key or value, a key twice, or a path missing or too many */
export function parseDataSpec(spec: string): DataSpec {
  const [source, query] = cutAtLast(spec, '?')
  const [kind, path] = cutAtFirst(source, ':')
  if (!isDataKind(kind)) {
    throw new DataSpecError(spec, `'${kind}' is no kind of data; use one of ${Object.keys(kinds).join(', ')}.`)
  }
  if (kinds[kind].path && !path) throw new DataSpecError(spec, `${kind} needs a path; write ${kind}:PATH.`)
  if (!kinds[kind].path && path !== null) throw new DataSpecError(spec, `${kind} takes no path; write ${kind} alone.`)
  const values = parseQuery(spec, query)
  const { split = null, ...selection } = values
  if (split !== null && !kinds[kind].splits) {
    throw new DataSpecError(spec, `${kind} has no splits; name the file of the split and leave split=${split} out.`)
  }
  return { kind, path: path ?? '', split, selection }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
type QueryValues = Writable<Selection & { readonly split?: Split }>

function parseQuery(spec: string, query: string | null): QueryValues {
  const values: QueryValues = {}
  for (const pair of query?.split('&') ?? []) {
    const [key, value] = cutAtFirst(pair, '=')
    if (key in values) throw new DataSpecError(spec, `${key} is given twice; keep one.`)
    if (key === 'split') values.split = parseSplit(spec, value)
    else if (key === 'limit') values.limit = parseCount(spec, key, value, 1)
    else if (key === 'skip' || key === 'shuffle') values[key] = parseCount(spec, key, value, 0)
    else throw new DataSpecError(spec, `'${pair}' is not known; use split=, limit=, skip= or shuffle=.`)
  }
  return values
}

function parseSplit(spec: string, value: string | null): Split {
  if (value === 'train' || value === 'test') return value
  throw new DataSpecError(spec, `split=${value ?? ''} is not known; use split=train or split=test.`)
}

const highestCount = 2 ** 32 - 1

function parseCount(spec: string, key: string, value: string | null, lowest: number): number {
  const count = value !== null && /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (count >= lowest && count <= highestCount) return count
  throw new DataSpecError(spec, `${key}=${value ?? ''} is not a whole number from ${lowest} to ${highestCount}.`)
}

function isDataKind(kind: string): kind is DataKind {
  return Object.hasOwn(kinds, kind)
}

function cutAtFirst(text: string, mark: string): readonly [string, string | null] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

/** A path may hold a question mark itself, so the last one counts. */
function cutAtLast(text: string, mark: string): readonly [string, string | null] {
  const at = text.lastIndexOf(mark)
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}
