import { writeFile } from 'node:fs/promises'
import { createManifestJsonSchema } from '../src/manifest-schema.ts'

const file = new URL('../schema/sluice.v1.schema.json', import.meta.url)
await writeFile(file, `${JSON.stringify(createManifestJsonSchema(), null, 2)}\n`)
