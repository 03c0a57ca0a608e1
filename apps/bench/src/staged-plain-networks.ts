import type { Backend, Bundle, DeviceScores } from '@sluice/core'
import { loadAll } from './load-all.ts'
import type { PlainNetwork, PlainNetworks } from './plain-networks.ts'

/**
 * The plain networks of a bundle whose stages are pieces of one file: each is loaded as a bundle of one stage, which ends
 * at the network's scores or at a cut. What a truncated one yields stays on the device unread where the backend computes
 * on the CPU, within `runStage`. On a GPU `runStage` answers once the work is handed over; only reading waits for it, and
 * the time holds the transfer of the activation at the cut, too.
 *
 * @param backend what the gated network runs on
 */
export function createStagedPlainNetworks(bundle: Bundle, backend: Backend): PlainNetworks {
  const { stages } = bundle.manifest
  const loadFull = () => loadOneStage(bundle, backend, stages.at(-1)?.scores ?? '', (scores) => scores.read())
  const waitFor = async (scores: DeviceScores) => {
    if (backend.capabilities.device === 'gpu') await scores.read()
  }
  const loadEndingAt = (cut: string | null): Promise<PlainNetwork<unknown>> =>
    cut === null ? loadFull() : loadOneStage(bundle, backend, cut, waitFor)
  return {
    loadFull,
    loadTruncated: () =>
      loadAll(
        stages.map(
          ({ output }) =>
            () =>
              loadEndingAt(output),
        ),
      ),
  }
}

/** The bundle as one stage without a head, from the network's input to the tensor `end`. */
async function loadOneStage<Answer>(
  { manifest, read: readFile }: Bundle,
  backend: Backend,
  end: string,
  readAnswer: (scores: DeviceScores) => Promise<Answer>,
): Promise<PlainNetwork<Answer>> {
  const { file = '', input = '' } = manifest.stages[0] ?? {}
  const macs = { backbone: manifest.macs, head: 0 }
  const stage = { file, macs, input, output: null, outputShape: null, scores: end }
  const model = await backend.load({ manifest: { ...manifest, stages: [stage], gates: [] }, read: readFile })
  return {
    async run(images) {
      const activation = await model.upload(images)
      try {
        const { scores } = await model.runStage(0, activation)
        try {
          return await readAnswer(scores)
        } finally {
          scores.dispose()
        }
      } finally {
        activation.dispose()
      }
    },
    release: () => model.dispose(),
  }
}
