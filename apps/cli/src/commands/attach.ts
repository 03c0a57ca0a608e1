import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createOnnxEngine } from '@sluice/adapter-onnxruntime/node'
import {
  type AttachResult,
  attachGates,
  describeInput,
  type GatePlacement,
  headLosses,
  type InputOptions,
} from '@sluice/app-train'
import { checkBundleTarget, writeBundle } from '@sluice/bundle/node'
import { type HeadDescription, InvalidArgumentError } from '@sluice/core'
import { type Dataset, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { type Command, Option } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandRunner } from '../context.ts'
import { formatMacs, formatShare, formatTable } from '../format.ts'
import { type OpenedNetwork, withNetwork } from '../open-network.ts'
import { parseCount, parseCountList, parseNumber, parseNumberList } from '../parse-option.ts'

interface AttachOptions extends BackendOptions {
  readonly data: string
  readonly out: string
  readonly gates: number | 'auto'
  readonly at?: readonly string[]
  readonly maxGates: number
  readonly placementDrop: number
  readonly placementGain?: number
  readonly head: keyof typeof headKinds
  readonly loss: HeadDescription['loss']
  readonly pool?: number
  readonly hidden?: number
  readonly channels: readonly number[]
  readonly rank: number
  readonly cascade?: boolean
  readonly survivors?: boolean
  readonly features?: boolean
  readonly copies: number
  readonly flip: boolean
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  readonly resize?: number
  readonly classes?: string
  readonly memory: number
  readonly force?: boolean
}

/** `sluice attach`: fits heads on a frozen network and writes a bundle whose gates are still off. */
export function addAttachCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'attach <model>',
    'fit gates on a frozen network and write a bundle; calibrate turns them on',
    'sluice attach resnet56.onnx --data "cifar10:data?split=train" --out resnet56.sluice --gates auto',
  )
    .requiredOption('--data <data>', "the network's training data; split=train where none is named")
    .requiredOption('--out <bundle>', 'folder of the bundle')
    .addOption(
      new Option('--gates <n>', 'how many gates, spread by share of the MACs, or auto')
        .default(4)
        .argParser(parseGateCount)
        .conflicts('at'),
    )
    .option('--at <tensors>', 'cut tensors for gates instead, separated by commas', (text) => text.split(','))
    .addOption(
      new Option('--max-gates <n>', 'most gates of --gates auto').default(6).argParser(parseCount('--max-gates', 1)),
    )
    .addOption(
      // On training data the full network is hardly ever wrong, so that there a drop is about twice that on new data.
      new Option('--placement-drop <points>', 'drop on the training data at which --gates auto saves most')
        .default(2)
        .argParser(parseNumber('--placement-drop', 0, 100)),
    )
    .addOption(
      new Option(
        '--placement-gain <percent>',
        'share of the MACs that each gate of --gates auto must save; 0.7, and 0.4 for --head linear',
      ).argParser(parseNumber('--placement-gain', 0, 100)),
    )
    .addOption(new Option('--head <kind>', 'kind of head').choices(Object.keys(headKinds)).default('mlp'))
    .addOption(
      new Option('--loss <name>', 'loss of the heads').choices(Object.keys(headLosses)).default('cross-entropy'),
    )
    .addOption(
      new Option('--pool <n>', 'pooling windows per axis; 4, and 16 for --head conv').argParser(
        parseCount('--pool', 1),
      ),
    )
    .addOption(
      new Option('--hidden <n>', 'width of the hidden layer; 256, and 128 for --head conv').argParser(
        parseCount('--hidden', 1),
      ),
    )
    .addOption(
      new Option('--channels <list>', 'channels of each convolution of --head conv')
        .default([48, 96], '48,96')
        .argParser(parseCountList('--channels')),
    )
    .addOption(
      new Option('--rank <n>', 'rank of the hidden layer of --head mlp; 0 keeps it whole')
        .default(64)
        .argParser(parseCount('--rank', 0)),
    )
    .option('--cascade', 'heads also take the class scores of the gate in front')
    .option('--survivors', 'rows that a gate in front is sure of count less in the fit')
    .option('--features', 'gates also yield pooled features of the network, which --policy learned-features looks at')
    .addOption(
      new Option('--copies <n>', 'shifted and mirrored copies of each image to fit heads on too')
        .default(0)
        .argParser(parseCount('--copies', 0)),
    )
    .option('--no-flip', 'copies are shifted only: mirrored ones would show another class')
    .option('--mean <list>', "per channel; ImageNet's for colour images when absent", parseNumberList('--mean'))
    .option('--std <list>', 'per channel', parseNumberList('--std'))
    .option('--resize <n>', 'shorter side of image files before the centre crop', parseCount('--resize', 1))
    .option('--classes <file>', 'class names, one per line')
    .addOption(
      new Option('--memory <GiB>', 'memory for features').default(2).argParser(parseNumber('--memory', 0.01, 1024)),
    )
    .option('--force', 'replace an existing bundle')
    .addOption(createBackendOption())
  setAction<AttachOptions>(command, run, async (context, options, [path = '']) => {
    const folder = resolve(options.out)
    const replace = options.force ?? false
    await checkBundleTarget(folder, replace)
    const { backend } = options
    const result = await withNetwork(path, context, { backend }, (opened) => attach(context, options, opened))
    const { manifest, files } = result
    await writeBundle({ folder, manifest, files, replace, signal: context.signal })
    return { json: describeJson(folder, result), lines: describeLines(folder, result) }
  })
}

async function attach(
  context: CommandContext,
  options: AttachOptions,
  { network, name }: OpenedNetwork,
): Promise<AttachResult> {
  const input = selectInputOptions(options)
  const { shape, layout, resize } = describeInput(network, input)
  const classes = options.classes === undefined ? {} : { classes: await readClassNames(options.classes) }
  const dataset = await openDataset(options.data, {
    ...classes,
    split: 'train',
    sampleShape: sampleShapeOf({ shape, layout }),
    resize,
    onWarning: context.note,
  })
  checkTargets(dataset, options.loss)
  const result = await attachGates({
    ...context,
    ...classes,
    network,
    fitEngine: createOnnxEngine({ threads: context.options.threads, denormalsAsZero: true }),
    name,
    dataset,
    input,
    placement: parsePlacement(options),
    heads: {
      ...selectWidths(options),
      loss: options.loss,
      channels: options.channels,
      rank: options.rank === 0 ? null : options.rank,
      cascade: options.cascade ?? false,
      survivors: options.survivors ?? false,
    },
    features: options.features ?? false,
    copies: options.copies,
    flip: options.flip,
    seed: context.options.seed,
    memoryBudgetBytes: options.memory * 2 ** 30,
  })
  noteInput(context, options, result)
  return result
}

/** Kinds of heads by their name here. */
const headKinds = { linear: 'linear', mlp: 'mlp', conv: 'convolutional' } as const

/** The defaults suit ResNet-56's maps of CIFAR-10 (docs/head-fitting.md). */
function selectWidths({ head, pool, hidden }: AttachOptions) {
  const isConvolutional = head === 'conv'
  return {
    kind: headKinds[head],
    poolSize: pool ?? (isConvolutional ? 16 : 4),
    hidden: hidden ?? (isConvolutional ? 128 : 256),
  }
}

function selectInputOptions({ mean, std, resize }: AttachOptions): InputOptions {
  return {
    ...(mean === undefined ? {} : { mean }),
    ...(std === undefined ? {} : { std }),
    ...(resize === undefined ? {} : { resize }),
  }
}

/** Says before the pass over the data, not after it, that heads have nothing to learn from. */
function checkTargets({ name, classes }: Dataset, loss: AttachOptions['loss']): void {
  if (classes.length > 0 || loss === 'distillation') return
  throw new InvalidArgumentError(
    `${name} has no labels and --loss ${loss} needs them; pass data with labels, or use --loss distillation.`,
  )
}

function parseGateCount(text: string): AttachOptions['gates'] {
  if (text === 'auto') return text
  return parseCount('--gates', 1)(text)
}

function parsePlacement({ gates, at, maxGates, placementDrop, placementGain }: AttachOptions): GatePlacement {
  if (at !== undefined) return { kind: 'at', tensors: at }
  if (gates === 'auto') {
    const leastGain = placementGain === undefined ? undefined : placementGain / 100
    return { kind: 'auto', maxGates, maxDrop: placementDrop, leastGain }
  }
  return { kind: 'count', count: gates }
}

async function readClassNames(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InvalidArgumentError(
      `The class names in ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
    )
  })
  return text.split(/\r?\n/).filter((line) => line !== '')
}

/** Says what was assumed of the input, and warns where the full network then does badly on its own training data. */
function noteInput(context: CommandContext, { mean }: AttachOptions, { manifest, fullAccuracy }: AttachResult): void {
  const { mean: used, std } = manifest.input
  if (mean === undefined && used.length > 0) {
    context.note(`Input normalised with ImageNet's mean ${used} and std ${std}; name others with --mean and --std.`)
  }
  if (fullAccuracy !== null && fullAccuracy < 0.5) {
    context.note(
      `The full network is right on only ${formatShare(fullAccuracy)} of this data. Check that the data are its training data, and --mean and --std.`,
    )
  }
}

function describeJson(bundle: string, { manifest, heads, seconds }: AttachResult) {
  const gates = manifest.gates.map(({ stage, share, head }, index) => ({
    stage,
    tensor: heads[index]?.cut.tensor,
    share,
    head: head.kind,
    parameters: head.parameters,
    macs: manifest.stages[stage]?.macs.head,
    fitAccuracy: head.fitAccuracy,
  }))
  return { bundle, gates, seconds }
}

function describeLines(bundle: string, { manifest, heads, seconds }: AttachResult): string[] {
  return [
    `${manifest.gates.length} gates in ${bundle}; they stay off until sluice calibrate chooses thresholds.`,
    ...formatTable([
      ['gate at', 'share', 'head', 'parameters', 'accuracy'],
      ...manifest.gates.map(({ share, head, stage }, index) => [
        heads[index]?.cut.tensor ?? '',
        formatShare(share),
        `${head.kind}, ${formatMacs(manifest.stages[stage]?.macs.head ?? 0)}`,
        head.parameters.toLocaleString('en'),
        formatShare(head.fitAccuracy),
      ]),
    ]),
    `${seconds.total.toFixed(1)} s: forward pass ${seconds.forward.toFixed(1)} s (a plain one ${seconds.plainForward.toFixed(1)} s), fitting ${seconds.fit.toFixed(1)} s`,
  ]
}
