import { resolve } from 'node:path'
import { collectReportData, drawReportPage } from '@sluice/app-bench'
import type { Command } from 'commander'
import { type BackendOptions, createBackendOption } from '../backends.ts'
import { addCommand, setAction } from '../command.ts'
import type { CommandRunner } from '../context.ts'
import { drawSample } from '../draw-sample.ts'
import { formatShare } from '../format.ts'
import { openDataFor, withBundle } from '../runtime.ts'
import { checkTarget, writeFileAtomically } from '../write-file.ts'

interface ReportOptions extends BackendOptions {
  readonly data: string
  readonly out: string
  readonly force?: boolean
}

/** `sluice report`: one self-contained HTML page. */
export function addReportCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'report <bundle>',
    'one self-contained HTML page on what leaves where',
    'sluice report resnet56.sluice --data "cifar10:data?split=test" --out report.html',
  )
    .requiredOption('--data <data>', 'labelled data')
    .requiredOption('--out <file>', 'where the page goes')
    .option('--force', 'replace an existing file')
    .addOption(createBackendOption())
  setAction<ReportOptions>(command, run, (context, { data, out, backend, force = false }, [path = '']) =>
    withBundle(path, context, { backend }, async ({ bundle, model }) => {
      const file = resolve(out)
      await checkTarget(file, { replace: force })
      const dataset = await openDataFor(bundle, data, context)
      const report = await collectReportData({ ...context, model, manifest: bundle.manifest, dataset, drawSample })
      await writeFileAtomically(file, drawReportPage(report), { replace: force })
      const { drop, saved } = report.point
      return {
        json: { report: file, samples: report.samples, drop, macsSaved: saved },
        lines: [`Drop ${drop.toFixed(2)} points, ${formatShare(saved)} of the MACs saved. The report is in ${file}`],
      }
    }),
  )
}
