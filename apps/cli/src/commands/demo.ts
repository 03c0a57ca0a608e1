import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandResult, CommandRunner } from '../context.ts'
import { demoModelFile } from '../demo-model.ts'

interface DemoOptions {
  readonly out: string
}

/**
 * `sluice demo`: the whole path on the built-in data.
 * @param createProgram makes the command line that the steps are parsed with
 */
export function addDemoCommand(
  program: Command,
  run: CommandRunner,
  createProgram: (run: CommandRunner) => Command,
): void {
  const command = addCommand(
    program,
    'demo',
    'the whole path on the built-in network and data, in about a minute',
    'sluice demo',
  ).option('--out <folder>', 'where the bundle and the report go', 'sluice-demo')
  setAction<DemoOptions>(command, run, async (context, { out }) => {
    const folder = resolve(out)
    const bundle = join(folder, 'glyphs.sluice')
    const report = join(folder, 'report.html')
    const steps: Record<string, CommandResult> = {}
    for (const args of listSteps(bundle, report)) {
      const [name = ''] = args
      const step = await runStep(context, args, createProgram)
      // The last two answers are the demo's own.
      if (name !== 'evaluate' && name !== 'report') context.note(step.lines.join('\n'))
      steps[name] = step
    }
    return {
      json: Object.fromEntries(Object.entries(steps).map(([name, { json }]) => [name, json])),
      lines: [...(steps.evaluate?.lines ?? []), '', `The report is in ${report}`],
    }
  })
}

/** Thresholds are chosen on one half of the test split and judged on the other. */
function listSteps(bundle: string, report: string): string[][] {
  const normalisation = ['--mean', '0.5,0.5,0.5', '--std', '0.25,0.25,0.25']
  const unseen = 'glyphs?split=test&skip=5000'
  return [
    ['inspect', demoModelFile],
    [
      'attach',
      demoModelFile,
      '--data',
      'glyphs?split=train',
      '--out',
      bundle,
      '--gates',
      'auto',
      ...normalisation,
      '--force',
    ],
    ['calibrate', bundle, '--data', 'glyphs?split=test&limit=5000', '--max-drop', '1'],
    ['evaluate', bundle, '--data', unseen],
    ['report', bundle, '--data', unseen, '--out', report, '--force'],
  ]
}

/** Runs one command as if typed and tells people what it is. */
async function runStep(
  context: CommandContext,
  args: readonly string[],
  createProgram: (run: CommandRunner) => Command,
): Promise<CommandResult> {
  context.note(`\n$ sluice ${args.map((arg) => (/[?&]/.test(arg) ? `"${arg}"` : arg)).join(' ')}`)
  let result: CommandResult = { json: null, lines: [] }
  const program = createProgram(async (options, command) => {
    const { threads, seed } = context.options
    result = await command({ ...context, options: { ...options, threads, seed } })
  })
  await program.parseAsync([...args], { from: 'user' })
  return result
}
