import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { normalise } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { createTestEngine } from '../../../../tooling/create-test-engine.ts'
import { runOnnx } from '../../../../tooling/run-onnx.ts'
import { exportOnnx } from '../networks/export/export-onnx.ts'
import { createTinyImages, tinyTraining } from '../testing/tiny-training.ts'
import { assembleTrainedBundle } from './assemble-trained-bundle.ts'
import { createMultiExitNetwork } from './multi-exit-network.ts'
import { writeVariables } from './named-variables.ts'
import { parseTrainConfig } from './train-config.ts'
import { trainNetwork } from './train-network.ts'

const rows = 5
const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] }

/** A network trained for a step, and its scores on some images as it gives them itself. */
async function trainAndScore() {
  const tf = await openNodeTfjs('cpu')
  const config = parseTrainConfig({ ...tinyTraining, ...normalisation, epochs: 1 }, { seed: 1 })
  const dataset = createTinyImages(16, 3)
  const options = { dataset, testDataset: null, initialValues: null, checkpoint: null, saveCheckpoint: async () => {} }
  const trained = await trainNetwork({ tf, config, ...options })
  const { images } = await createTinyImages(rows, 4).read(Array.from({ length: rows }, (_, row) => row))
  const input = { shape: [10, 10, 3], ...normalisation }
  const network = createMultiExitNetwork(tf, trained.plan, config)
  writeVariables(tf, [...network.parameters, ...network.backbone.statistics], trained.values)
  const scores = tf.tidy(() =>
    network
      .forward(tf.tensor4d(normalise(images.slice(), { ...input, layout: 'NHWC' }), [rows, 10, 10, 3]), false)
      .map((exit) => exit.dataSync<'float32'>()),
  )
  network.dispose()
  const batch = normalise(images, { ...input, shape: [3, 10, 10], layout: 'NCHW' })
  return { config, trained, scores, batch }
}

describe('assembleTrainedBundle', () => {
  it('gives at every gate the scores that the trained network gives there', async () => {
    const { config, trained, scores, batch } = await trainAndScore()
    const { manifest, files } = await assembleTrainedBundle({
      trained,
      model: exportOnnx(trained.plan, trained.values),
      engine: createTestEngine(),
      name: 'tiny',
      classes: ['red', 'green', 'blue'],
      config,
    })
    expect(manifest.input).toMatchObject({ layout: 'NCHW', ...normalisation })
    expect(manifest.stages.map(({ output }) => output)).toEqual(['block1', 'block2', 'block3', null])
    expect(manifest.gates.map(({ head, policy }) => [head.kind, head.hidden, head.pooling, policy.threshold])).toEqual(
      [0, 1, 2].map(() => ['mlp', 8, { size: 4, kind: 'average+maximum' }, null]),
    )
    expect(manifest.stages.reduce((sum, { macs }) => sum + macs.backbone, 0)).toBe(trained.plan.macs)
    let activation: { dims: readonly number[]; data: Float32Array } = { dims: [rows, 3, 10, 10], data: batch }
    for (const [index, stage] of manifest.stages.entries()) {
      const results = await runOnnx(files[stage.file] ?? new Uint8Array(), { [stage.input]: activation })
      const actual = results[stage.scores]?.data ?? new Float32Array()
      expect(actual.some((score) => Math.abs(score) > 1e-3)).toBe(true)
      expect([...actual]).toEqual([...(scores[index] ?? [])].map((score) => expect.closeTo(score, 4)))
      activation = results[stage.output ?? ''] ?? activation
    }
  })
})
