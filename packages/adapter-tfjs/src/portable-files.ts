import { InvalidTfjsModelError } from './errors.ts'
import { listShards, renameShards } from './model-files.ts'
import type { TfjsModelFiles } from './tfjs-network.ts'

/** What bundles take as a path: no segment starts with a dot, and no character means something to some system. */
const portablePath = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/

const modelFile = 'model.json'

/**
 * Every file of a model by a path that a bundle takes: `model.json` first, then the shards. `./` goes, and shards whose
 * paths are not portable (spaces, say) are called `shard-0.bin` and so on. Where that renames none, `model.json` is given as
 * it is; else only its paths change.
 *
 * @throws InvalidTfjsModelError for a shard outside the model's folder
 */
export async function readPortableFiles({ json, read }: TfjsModelFiles): Promise<Record<string, Uint8Array>> {
  const names = choosePortableNames(listShards(json))
  const files: Record<string, Uint8Array> = { [modelFile]: renameShards(json, names) }
  for (const [path, name] of names) files[name] = await read(path)
  return files
}

/** By the shard's own path. */
function choosePortableNames(paths: readonly string[]): Map<string, string> {
  const names = new Map(paths.map((path) => [path, withoutDots(path)]))
  const taken = new Set(names.values())
  let index = 0
  for (const [path, name] of names) {
    if (portablePath.test(name) && name !== modelFile) continue
    while (taken.has(`shard-${index}.bin`)) index++
    names.set(path, `shard-${index++}.bin`)
  }
  return names
}

function withoutDots(path: string): string {
  if (path.split(/[\\/]/).includes('..')) {
    throw new InvalidTfjsModelError(
      `its shard '${path}' lies outside its folder. Save the model with its weights beside.`,
    )
  }
  const segments = path.split('/')
  return segments.filter((segment) => segment !== '.').join('/')
}
