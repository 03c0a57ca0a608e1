import { type Command, Option } from 'commander'
import {
  type CommandContext,
  type CommandResult,
  type CommandRunner,
  defaultThreads,
  type GlobalOptions,
} from './context.ts'
import { parseCount } from './parse-option.ts'

/** Adds a command with an example under its help. */
export function addCommand(program: Command, usage: string, description: string, example: string): Command {
  return program.command(usage).description(description).addHelpText('after', `\nExample:\n  $ ${example}`)
}

/**
 * Gives a command the options that all share, behind its own, and sets what it does when it is `run`. `work` gets the
 * parsed options, with the shared ones among them, then the arguments.
 */
export function setAction<Options>(
  command: Command,
  run: CommandRunner,
  work: (context: CommandContext, options: Options, args: readonly string[]) => Promise<CommandResult>,
): void {
  command
    .option('--json', 'print one JSON object and nothing else')
    .addOption(
      new Option('--threads <n>', 'threads of the engine')
        .default(defaultThreads)
        .argParser(parseCount('--threads', 1)),
    )
    .addOption(new Option('--seed <n>', 'seed of everything random').default(0).argParser(parseCount('--seed', 0)))
    .option('--debug', 'print stack traces')
    .action(async () => {
      const options = command.opts<GlobalOptions & Options>()
      await run(options, (context) => work(context, options, command.processedArgs.flat()))
    })
}
