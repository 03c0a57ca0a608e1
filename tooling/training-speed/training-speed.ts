import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type NodeTfjsBackend, nodeTfjsBackends, openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { parseTrainConfig, trainNetwork } from '@sluice/app-train'
import { createGlyphDataset, select } from '@sluice/datasets'

/**
 * Prints images a second of a training step of ResNet-20 (CIFAR form, 32 x 32 pixels) on every backend of TensorFlow.js
 * that is installed, and in PyTorch where `PYTHON` (python3 when unset) has it. Reading and augmenting the images count.
 * Run it on an idle machine from the root: npx tsx --conditions=@sluice/source tooling/training-speed/training-speed.ts
 */

/** Plain JavaScript takes minutes for a whole batch of 128. */
const batches: Readonly<Record<NodeTfjsBackend, number>> = { cpu: 1, wasm: 128, tensorflow: 128 }

/** The first ones compile kernels and are not counted. */
const [warmUpSteps, countedSteps] = [2, 7]

async function timeBackend(backend: NodeTfjsBackend): Promise<number> {
  const batch = batches[backend]
  const steps = warmUpSteps + countedSteps
  const config = parseTrainConfig(
    {
      network: { kind: 'resnet', depth: 20, classes: 10, input: [32, 32, 3] },
      data: 'glyphs',
      epochs: 1,
      batch,
      augmentation: { pad: 4, flip: true },
      backend,
    },
    { seed: 0 },
  )
  const times: number[] = []
  await trainNetwork({
    tf: await openNodeTfjs(backend),
    config,
    dataset: select(createGlyphDataset('train'), { limit: steps * batch }),
    testDataset: null,
    initialValues: null,
    checkpoint: null,
    saveCheckpoint: async () => {},
    onProgress: () => times.push(performance.now()),
  })
  const milliseconds = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  return (1000 * batch) / median(milliseconds.slice(warmUpSteps - 1))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function timePyTorch(): string {
  const script = fileURLToPath(new URL('training_speed.py', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? 'python3', [script], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : `not measured: ${stderr?.trim().split('\n').at(-1) ?? 'no Python'}`
}

for (const backend of nodeTfjsBackends) {
  const result = await timeBackend(backend).then(
    (rate) => `${rate.toPrecision(3)} images/s (batch ${batches[backend]})`,
    (error: Error) => `not measured: ${error.message}`,
  )
  console.log(`tfjs ${backend}: ${result}`)
}
console.log(`PyTorch: ${timePyTorch()}`)
