import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectedSharedFolder } from '../shared.ts'
import type { Places } from './command.ts'
import type { NetworkSpec } from './networks.ts'
import type { Scale } from './scale.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the user says about places; paths are relative to where the user stands. */
export interface PlaceOptions {
  readonly data?: string | undefined
  readonly weights?: string | undefined
  readonly work?: string | undefined
  readonly out?: string | undefined
}

/**
 * Where a run reads and writes, and the file of its result.
 *
 * @throws Error for data that are not there, and for ImageNet's, which the user has to name
 */
export function findPlaces(spec: NetworkSpec, scale: Scale, options: PlaceOptions): { places: Places; out: string } {
  const isSmall = scale.name === 'small'
  const isImagenet = spec.weights.kind === 'torchvision'
  const work = fromCaller(options.work ?? join(root, 'out/reproduce', `${spec.name}-${scale.name}`))
  const result = isSmall ? join(work, 'result.json') : join(root, 'docs/results', `${spec.name}.json`)
  const out = fromCaller(options.out ?? result)
  if (isImagenet && isSmall) {
    return { places: { WORK: work, DATA: join(work, 'images'), WEIGHTS: join(work, 'random.pth') }, out }
  }
  if (isImagenet && (options.data === undefined || options.weights === undefined)) {
    throw new Error(
      'ImageNet cannot be shipped: name its folder with --data and the weights of ResNet-101 with --weights.',
    )
  }
  const data = fromCaller(options.data ?? join(expectedSharedFolder, 'data/cifar-10-batches-bin'))
  const weights = fromCaller(options.weights ?? '')
  for (const path of isImagenet ? [data, weights] : [data]) {
    if (!existsSync(path)) throw new Error(`${path} does not exist; name it with --data or --weights.`)
  }
  return { places: { WORK: work, SHARED: expectedSharedFolder, DATA: data, WEIGHTS: weights }, out }
}

/** A path as the user means it: `npm run` starts scripts in the root of the repository. */
export function fromCaller(path: string): string {
  return resolve(process.env.INIT_CWD ?? '.', path)
}
