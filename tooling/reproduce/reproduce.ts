// The paper's table: `npm run reproduce -- NETWORK [--small]`, see README.md. `npm run reproduce -- table` writes what was
// measured into docs/results.md.

import { mkdir, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { findPlaces, fromCaller } from './find-places.ts'
import { findNetwork } from './networks.ts'
import { writeResultsTable } from './results-table.ts'
import { runNetwork } from './run-network.ts'
import { fullScale, smallScale } from './scale.ts'

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

try {
  if (positionals[0] === 'table') await writeResultsTable()
  else await reproduce(positionals[0])
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

async function reproduce(name: string | undefined): Promise<void> {
  const spec = findNetwork(name)
  const scale = values.small ? smallScale : fullScale
  const { places, out } = findPlaces(spec, scale, values)
  // The features of several gates, or of all cuts on a part of the data, are large on a wide network.
  const attach = ['--memory', String(Math.max(2, Math.floor(totalmem() / 2 ** 31)))]
  const python = values.python.includes('/') ? fromCaller(values.python) : values.python
  const onMessage = (message: string) => process.stderr.write(`${message}\n`)
  const result = await runNetwork({ spec, scale, places, python, attach, onMessage })
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, `${JSON.stringify(result, null, 1)}\n`)
  process.stdout.write(`${out}\n`)
}
