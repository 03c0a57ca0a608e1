import { expandPlaces } from './command.ts'
import { fakeClassCount, writeFakeImagenet } from './fake-imagenet.ts'
import type { WeightSource } from './networks.ts'
import type { Reproduction } from './result.ts'
import type { Run } from './run.ts'
import { imagenetAnswer, trainAnswer } from './sluice-answers.ts'

/** A network's ONNX file, and what is known of its making. */
export interface Model extends Pick<Reproduction, 'training' | 'weights'> {
  /** `$NAME/…`. */
  readonly file: string
  /** As a fraction of the paper's. */
  readonly width: number
}

const written = '$WORK/model.onnx'

/** Trains the network, exports it from torchvision's weights, or takes the given file. */
export async function obtainModel(run: Run): Promise<Model> {
  const { weights } = run.spec
  if (weights.kind === 'trained') return trainModel(run, weights)
  if (weights.kind === 'torchvision') return exportModel(run)
  return { file: `$SHARED/${weights.file}`, width: 1, training: null, weights: null }
}

type Recipe = Extract<WeightSource, { kind: 'trained' }>

async function trainModel(run: Run, { epochs, minutes }: Recipe): Promise<Model> {
  const { spec, scale } = run
  const args = ['train.py', '--network', spec.name, '--data', '$DATA', '--out', written, '--batch', scale.trainingBatch]
  const work = scale.epochs === null ? ['--epochs', epochs, '--minutes', minutes] : ['--epochs', scale.epochs]
  const limits = scale.images === null ? [] : ['--limit', scale.images, '--width', scale.width]
  const command = { program: 'python', args: [...args, ...work, ...limits].map(String) } as const
  const training = await run.perform('train', command, trainAnswer)
  return { file: written, width: training.width, training, weights: null }
}

/** At small scale the weights are random and the images noise. */
async function exportModel(run: Run): Promise<Model> {
  const { scale, places } = run
  const args = ['imagenet.py', '--weights', '$WEIGHTS', '--out', written]
  const random = scale.images === null ? [] : ['--random', fakeClassCount, '--width', scale.width]
  if (scale.images !== null) await writeFakeImagenet(expandPlaces('$DATA', places), scale.images)
  const command = { program: 'python', args: [...args, ...random].map(String) } as const
  const weights = await run.perform('export', command, imagenetAnswer)
  return { file: written, width: weights.width, training: null, weights }
}
