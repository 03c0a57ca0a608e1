import { createGatedModel, createThresholdPolicy } from '@sluice/core'
import {
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
} from '@sluice/core/reference'
import { createSoftmaxFamily } from '@sluice/policy-softmax'

const network = createRandomReferenceNetwork({ seed: 1, inputShape: [8], cutWidths: [6], classCount: 3 })
const model = await createReferenceBackend().load(await createReferenceBundle(network))
const rules = [{ score: createSoftmaxFamily().createScore({ temperature: 1 }), threshold: 0.6 }]
const gated = createGatedModel({ model, policy: createThresholdPolicy('softmax', rules) })

for await (const { stage, rows, macsPerRow } of gated.run(createRandomBatch(2, 16, [8]))) {
  console.log(`stage ${stage}: ${rows.length} rows leave after ${macsPerRow} MACs each`)
}
await model.dispose()
