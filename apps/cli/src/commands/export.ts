import { mkdir } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { type ExportedNetwork, exportGatedNetwork } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import { type BundleManifest, InvalidArgumentError } from '@sluice/core'
import { writeOnnxModel } from '@sluice/onnx-graph'
import { type Command, Option } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { parseCount } from '../parse-option.ts'
import { convertToServiceName, createKServeManifest } from '../serving/kserve-manifest.ts'
import { createTritonConfig, defaultMaxBatch } from '../serving/triton-config.ts'
import { checkTarget, writeFileAtomically } from '../write-file.ts'

interface ExportOptions {
  readonly out?: string
  readonly triton?: string
  readonly maxBatch: number
  readonly kserve?: string
  readonly storageUri?: string
  readonly force?: boolean
}

/** `sluice export`: the whole gated network as one ONNX file, and what servers want beside it. */
export function addExportCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'export <bundle>',
    'the whole gated network as one ONNX file, for any ONNX Runtime',
    'sluice export resnet56.sluice --out gated.onnx',
  )
    .option('--out <file>', 'where the ONNX file goes')
    .option('--triton <dir>', 'put it into a model repository of NVIDIA Triton, with config.pbtxt')
    .addOption(
      new Option('--max-batch <n>', "Triton's largest batch")
        .default(defaultMaxBatch)
        .argParser(parseCount('--max-batch', 1)),
    )
    .option(
      '--kserve <file>',
      'write an InferenceService manifest for KServe, for the model repository at --storage-uri',
    )
    .option('--storage-uri <uri>', 'where the cluster finds the model repository, e.g. s3://models/gated')
    .option('--force', 'replace existing files')
  setAction<ExportOptions>(command, run, async (_context, options, [path = '']) => {
    const folder = resolve(path)
    const name = basename(folder).replace(/\.sluice$/i, '')
    checkOptions(options)
    const bundle = await openBundleFolder(folder)
    const exported = await exportGatedNetwork(bundle)
    const files = listFiles(options, name, bundle.manifest, exported)
    for (const { file } of files) await prepareTarget(file, options)
    for (const { file, content } of files) await writeFileAtomically(file, content, { replace: options.force ?? false })
    return {
      json: {
        files: files.map(({ file }) => file),
        outputs: { scores: 'scores', exit: 'exit' },
        thresholds: Object.fromEntries(exported.thresholds),
        exits: exported.exits,
      },
      lines: describe(files, exported),
    }
  })
}

interface OutputFile {
  readonly file: string
  readonly content: string | Uint8Array
}

function checkOptions({ out, triton, kserve, storageUri }: ExportOptions): void {
  if (out === undefined && triton === undefined) {
    throw new InvalidArgumentError(
      'Nothing says where the network goes; name a file with --out, or a folder with --triton.',
    )
  }
  if ((kserve === undefined) === (storageUri === undefined)) return
  throw new InvalidArgumentError('--kserve and --storage-uri go together: the manifest names where the models lie.')
}

function listFiles(
  { out, triton, maxBatch, kserve, storageUri = '' }: ExportOptions,
  name: string,
  manifest: BundleManifest,
  { model }: ExportedNetwork,
): OutputFile[] {
  const content = writeOnnxModel(model)
  const files: OutputFile[] = []
  if (out !== undefined) files.push({ file: resolve(out), content })
  if (triton !== undefined) {
    const folder = resolve(triton, name)
    files.push(
      { file: join(folder, '1', 'model.onnx'), content },
      { file: join(folder, 'config.pbtxt'), content: createTritonConfig(name, manifest, maxBatch) },
      { file: join(folder, 'labels.txt'), content: `${manifest.classes.join('\n')}\n` },
    )
  }
  if (kserve !== undefined) {
    files.push({
      file: resolve(kserve),
      content: createKServeManifest({ name: convertToServiceName(name), storageUri }),
    })
  }
  return files
}

/** Folders of a model repository are made; that of any other file must exist. */
async function prepareTarget(file: string, { triton, force = false }: ExportOptions): Promise<void> {
  if (triton !== undefined && file.startsWith(resolve(triton) + sep)) await mkdir(dirname(file), { recursive: true })
  await checkTarget(file, { replace: force })
}

function describe(files: readonly OutputFile[], { exits, thresholds }: ExportedNetwork): string[] {
  const gates = thresholds.size
  return [
    ...files.map(({ file }) => file),
    gates === 0
      ? 'No gate is on: the file holds the plain network. Run sluice calibrate first.'
      : `${gates} ${gates === 1 ? 'gate' : 'gates'}; outputs 'scores' and 'exit' (${exits.join(', ')}); inputs ${[...thresholds.keys()].join(', ')} replace the thresholds.`,
  ]
}
