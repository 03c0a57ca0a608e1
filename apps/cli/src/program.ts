import { Command } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { addAttachCommand } from './commands/attach.ts'
import { addBenchCommand } from './commands/bench.ts'
import { addCalibrateCommand } from './commands/calibrate.ts'
import { addCompareCommand } from './commands/compare.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addEvaluateCommand } from './commands/evaluate.ts'
import { addExportCommand } from './commands/export.ts'
import { addInspectCommand } from './commands/inspect.ts'
import { addPredictCommand } from './commands/predict.ts'
import { addReportCommand } from './commands/report.ts'
import { addTrainCommand } from './commands/train.ts'
import { type CommandRunner, runCommand } from './context.ts'

/**
 * The whole command line. It throws instead of exiting, so that one place chooses the exit status.
 * @param run how commands are run
 */
export function createProgram(run: CommandRunner = runCommand): Command {
  const program = new Command('sluice')
    .description('Gives trained networks early exits.')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'sluice:')) })
    .showHelpAfterError('Run it with --help to see an example.')
  for (const add of [
    addInspectCommand,
    addAttachCommand,
    addCalibrateCommand,
    addEvaluateCommand,
    addPredictCommand,
    addReportCommand,
    addExportCommand,
    addBenchCommand,
    addCompareCommand,
    addTrainCommand,
  ]) {
    add(program, run)
  }
  addDemoCommand(program, run, createProgram)
  return program
}
