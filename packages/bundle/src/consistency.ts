import type { BundleManifest, InputDescription, StageDescription } from '@sluice/core'
import { manifestFile } from './manifest-schema.ts'

/** What a manifest of the right form says that cannot all be true; one line per field, its path first. */
export function findInconsistencies(manifest: BundleManifest): string[] {
  return [
    ...checkInput(manifest.input),
    ...manifest.stages.flatMap((stage, index) => checkStage(manifest, stage, index)),
    ...checkMacs(manifest),
    ...checkGates(manifest),
    ...checkCalibration(manifest),
    ...list(
      Object.hasOwn(manifest.files, manifestFile) && `files["${manifestFile}"]: the manifest does not list itself`,
    ),
  ]
}

function checkInput({ shape, layout, mean, std, resize }: InputDescription): string[] {
  const channelAxis = { NCHW: 0, NHWC: shape.length - 1, none: -1 }[layout]
  const channels = shape[channelAxis] ?? mean.length
  const crop = layout === 'none' ? [] : shape.filter((_, axis) => axis !== channelAxis)
  return list(
    mean.length !== std.length && `input.std: ${std.length} values for ${mean.length} in input.mean`,
    mean.length > 0 && mean.length !== channels && `input.mean: ${mean.length} values for ${channels} channels`,
    resize !== null && resize < Math.max(...crop) && `input.resize: ${resize} pixels for a crop of ${crop.join(' x ')}`,
  )
}

function checkStage(manifest: BundleManifest, stage: StageDescription, index: number): string[] {
  const { stages, files, input } = manifest
  const isLast = index === stages.length - 1
  const expectedInput = index === 0 ? input.name : stages[index - 1]?.output
  const at = `stages[${index}]`
  return list(
    !Object.hasOwn(files, stage.file) && `${at}.file: '${stage.file}' is not among files`,
    stage.headFile !== undefined &&
      !Object.hasOwn(files, stage.headFile) &&
      `${at}.headFile: '${stage.headFile}' is not among files`,
    isLast && stage.headFile !== undefined && `${at}.headFile: the last stage has no head, leave it out`,
    isLast && stage.scoresInput !== undefined && `${at}.scoresInput: the last stage has no head, leave it out`,
    index === 0 && stage.scoresInput !== undefined && `${at}.scoresInput: no gate stands in front, leave it out`,
    stage.scoresInput === stage.input && `${at}.scoresInput: '${stage.scoresInput}' is the input of the cut tensor`,
    isLast && stage.features !== undefined && `${at}.features: no gate stands behind the last stage, leave them out`,
    !isLast &&
      stage.features !== undefined &&
      !stage.outputShape?.includes(stage.features.width) &&
      `${at}.features.width: ${stage.features.width} is no size of the cut tensor, [${stage.outputShape?.join(', ')}]`,
    stage.features !== undefined &&
      [stage.output, stage.scores].includes(stage.features.output) &&
      `${at}.features.output: '${stage.features.output}' is another output of the stage`,
    stage.input !== expectedInput && `${at}.input: '${stage.input}' is not what comes before it, '${expectedInput}'`,
    isLast && stage.output !== null && `${at}.output: the last stage has none, write null`,
    isLast && stage.outputShape !== null && `${at}.outputShape: the last stage has none, write null`,
    isLast && stage.macs.head !== 0 && `${at}.macs.head: the last stage has no head, write 0`,
    !isLast && stage.output === null && `${at}.output: null, but a stage follows`,
    !isLast && stage.outputShape === null && `${at}.outputShape: null, but a stage follows`,
  )
}

function checkMacs({ stages, macs }: BundleManifest): string[] {
  const sum = stages.reduce((total, stage) => total + stage.macs.backbone, 0)
  return list(sum !== macs && `macs: ${macs}, but the stages' backbones cost ${sum} together`)
}

function checkGates({ gates, stages, classes }: BundleManifest): string[] {
  const due = stages.length - 1
  const wrongCount = list(gates.length !== due && `gates: ${gates.length}, but ${stages.length} stages need ${due}`)
  return wrongCount.concat(
    gates.flatMap(({ stage, head }, index) =>
      list(
        stage !== index && `gates[${index}].stage: ${stage}, but gates stand in order, one per stage but the last`,
        head.weightNorms.length !== classes.length &&
          `gates[${index}].head.weightNorms: ${head.weightNorms.length} values for ${classes.length} classes`,
        (head.kind !== 'linear') !== (head.hidden !== null) &&
          `gates[${index}].head.hidden: ${head.hidden} for a head of kind '${head.kind}'`,
        (head.kind === 'convolutional') !== (head.channels !== undefined) &&
          `gates[${index}].head.channels: ${head.channels?.join(', ') ?? 'none'} for a head of kind '${head.kind}'`,
      ),
    ),
  )
}

function checkCalibration({ calibration, stages }: BundleManifest): string[] {
  const shares = calibration?.measured.exitShares.length ?? stages.length
  return list(
    shares !== stages.length && `calibration.measured.exitShares: ${shares} values for ${stages.length} stages`,
  )
}

function list(...problems: readonly (string | false)[]): string[] {
  return problems.filter((problem) => problem !== false)
}
