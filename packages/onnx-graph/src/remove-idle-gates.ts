import { type Bundle, type BundleManifest, type StageDescription, UnsupportedBundleError } from '@sluice/core'
import { joinStages } from './join.ts'
import { readOnnxModel, writeOnnxModel } from './onnx-model.ts'

/** A bundle without the gates that are off, and where its stages come from. */
export interface ActiveBundle {
  /** In memory; reads what it leaves unchanged from the source. */
  readonly bundle: Bundle
  /** Per stage, the index of the source's stage that it ends with. */
  readonly sourceStages: readonly number[]
}

/**
 * The same gated network without the gates that are off (threshold null): the stages around such a gate are joined and
 * its head is left out, so it costs nothing. A gate that is off stays where the head of one that is on depends on its
 * scores (`scoresInput`). Answers stay the same but for rounding. The source is not changed. Stages that
 * are pieces of one file, as in the formats of TensorFlow.js, are joined by their description alone.
 *
 * @throws UnsupportedBundleError for stages to be joined that lie in different files of a format other than `onnx`
 */
export async function removeIdleGates(source: Bundle): Promise<ActiveBundle> {
  const { manifest } = source
  const groups = groupStages(manifest)
  const joined = new Map<string, Uint8Array>()
  const stages: StageDescription[] = []
  for (const group of groups) {
    const stage = describeGroup(manifest, group)
    if (!isOneFile(manifest, group)) joined.set(stage.file, await joinGroup(source, group))
    stages.push(stage)
  }
  const gates = manifest.gates.filter((_, gate) => isNeeded(manifest, gate)).map((gate, stage) => ({ ...gate, stage }))
  return {
    bundle: {
      manifest: { ...manifest, stages, gates, endPolicy: gates.length === 0 ? undefined : manifest.endPolicy },
      read: async (path) => joined.get(path) ?? source.read(path),
    },
    sourceStages: groups.map((group) => group.at(-1) ?? 0),
  }
}

/** Indices of the stages that become one: each group ends with a gate that is needed, the last one with the network. */
function groupStages(manifest: BundleManifest): number[][] {
  const groups: number[][] = [[]]
  for (const stage of manifest.stages.keys()) {
    groups.at(-1)?.push(stage)
    if (isNeeded(manifest, stage)) groups.push([])
  }
  return groups
}

/** Whether a gate may fire, or its scores go into the head of one that is needed. */
function isNeeded(manifest: BundleManifest, gate: number): boolean {
  const { stages, gates } = manifest
  if ((gates[gate]?.policy.threshold ?? null) !== null) return true
  return stages[gate + 1]?.scoresInput !== undefined && isNeeded(manifest, gate + 1)
}

function describeGroup({ stages }: BundleManifest, group: readonly number[]): StageDescription {
  const parts = stages.slice(group[0], (group.at(-1) ?? 0) + 1)
  const [first, last] = [parts[0], parts.at(-1)] as [StageDescription, StageDescription]
  const backbone = parts.reduce((sum, { macs }) => sum + macs.backbone, 0)
  return { ...last, input: first.input, macs: { backbone, head: last.macs.head } }
}

function isOneFile({ stages }: BundleManifest, group: readonly number[]): boolean {
  return new Set(group.map((stage) => stages[stage]?.file)).size === 1
}

async function joinGroup(source: Bundle, group: readonly number[]): Promise<Uint8Array> {
  const { format } = source.manifest
  if (format !== 'onnx') {
    throw new UnsupportedBundleError('onnx', `its format is ${format}; only files in ONNX can be joined.`)
  }
  const models = []
  for (const stage of group) {
    const file = source.manifest.stages[stage]?.file ?? ''
    models.push(readOnnxModel(await source.read(file), { source: `'${file}'` }))
  }
  return writeOnnxModel(joinStages(models, { keepLastHead: true }))
}
