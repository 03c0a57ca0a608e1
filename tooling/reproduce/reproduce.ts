// The paper's table: `npm run reproduce -- NETWORK [--small]`, see README.md. `npm run reproduce -- table` writes the rows
// that were measured into docs/results.md.

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { expectedSharedFolder } from '../shared.ts'
import { findNetwork, fullScale, smallScale } from './networks.ts'
import { writeResultsTable } from './results-table.ts'
import { runNetwork } from './run-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    data: { type: 'string' },
    weights: { type: 'string' },
    work: { type: 'string' },
    out: { type: 'string' },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
  },
})

if (positionals[0] === 'table') await writeResultsTable()
else await reproduce(positionals[0])

async function reproduce(name: string | undefined): Promise<void> {
  const spec = findNetwork(name)
  const scale = values.small ? smallScale : fullScale
  const work = resolve(values.work ?? join(root, 'out/reproduce', `${spec.name}-${scale.name}`))
  const out = resolve(
    values.out ?? (values.small ? join(work, 'result.json') : join(root, `docs/results/${spec.name}.json`)),
  )
  const isFake = values.small && spec.weights.kind === 'torchvision'
  const places = {
    WORK: work,
    SHARED: expectedSharedFolder,
    DATA: isFake
      ? join(work, 'images')
      : resolve(values.data ?? join(expectedSharedFolder, 'data/cifar-10-batches-bin')),
    WEIGHTS: isFake ? join(work, 'random.pth') : resolve(values.weights ?? ''),
  }
  if (spec.weights.kind === 'torchvision' && !isFake) {
    if (values.data === undefined || values.weights === undefined)
      throw new Error(
        'ImageNet needs --data FOLDER (with train and val) and --weights FILE; neither can be shipped here.',
      )
  }
  if (!isFake && !existsSync(places.DATA)) throw new Error(`${places.DATA} does not exist; name the data with --data.`)
  await mkdir(work, { recursive: true })
  // Half of the memory holds the features of several gates, or of all cuts on a part of the data.
  const attach = ['--memory', String(Math.max(2, Math.floor(totalmem() / 2 ** 31)))]
  const onMessage = (message: string) => process.stderr.write(`${message}\n`)
  const result = await runNetwork({ spec, scale, places, python: values.python, attach, onMessage })
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, `${JSON.stringify(result, null, 1)}\n`)
  process.stdout.write(`${out}\n`)
}
