import { createInput } from '@sluice/app-train'
import { createGatedModel } from '@sluice/core'
import { sampleShapeOf } from '@sluice/datasets'
import { readImage } from '@sluice/datasets/node'
import type { Command } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { formatMacs, formatTable } from '../format.ts'
import { withBundle } from '../runtime.ts'

/** `sluice predict`: class, score, exit and MACs per image. */
export function addPredictCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'predict <bundle> <files...>',
    'class, score, exit and MACs of each image',
    'sluice predict resnet56.sluice cat.png dog.jpg',
  ).addOption(createBackendOption())
  setAction<BackendOptions>(command, run, (context, { backend }, [path = '', ...files]) =>
    withBundle(path, context, { backend }, async ({ bundle, sourceStages, model, policy }) => {
      const { input, classes } = bundle.manifest
      const gated = createGatedModel({ model, policy })
      const predictions = []
      for (const file of files) {
        const image = createInput(
          await readImage(file, { sampleShape: sampleShapeOf(input), resize: input.resize }),
          1,
          input,
        )
        const answer = await gated.predict(image, { signal: context.signal })
        const index = answer.classes[0] ?? 0
        predictions.push({
          file,
          class: classes[index] ?? String(index),
          score: answer.scores.data[index] ?? Number.NaN,
          exit: sourceStages[answer.exits[0] ?? 0] ?? 0,
          macs: answer.macs[0] ?? 0,
        })
        context.onProgress({ phase: 'predict', done: predictions.length, total: files.length, unit: 'images' })
      }
      const rows = predictions.map((row) => [
        row.file,
        row.class,
        row.score.toFixed(3),
        String(row.exit),
        formatMacs(row.macs),
      ])
      return { json: { predictions }, lines: formatTable([['file', 'class', 'score', 'exit', 'MACs'], ...rows]) }
    }),
  )
}
