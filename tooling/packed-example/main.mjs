import { createGatedModel } from '@sluice/core'
import {
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
} from '@sluice/core/reference'

const network = createRandomReferenceNetwork({ seed: 1, inputShape: [8], cutWidths: [6], classCount: 3 })
const model = await createReferenceBackend().load(await createReferenceBundle(network))
const gated = createGatedModel({ model, policy: createScriptedPolicy([0, 1, 0]) })

for await (const { stage, rows, macsPerRow } of gated.run(createRandomBatch(2, 3, [8]))) {
  console.log(`stage ${stage}: ${rows.length} rows leave after ${macsPerRow} MACs each`)
}
await model.dispose()
