import { type Command, Option } from 'commander'
import {
  type CommandContext,
  type CommandResult,
  type CommandRunner,
  defaultThreads,
  type GlobalOptions,
  parseCount,
} from './context.ts'

/** Adds a command with the options that all commands share and an example under its help. */
export function addCommand(program: Command, usage: string, description: string, example: string): Command {
  return program
    .command(usage)
    .description(description)
    .addOption(new Option('--json', 'print one JSON object and nothing else').default(false))
    .addOption(
      new Option('--threads <n>', 'threads of the engine')
        .default(defaultThreads)
        .argParser(parseCount('--threads', 1)),
    )
    .addOption(new Option('--seed <n>', 'seed of everything random').default(0).argParser(parseCount('--seed', 0)))
    .addOption(new Option('--debug', 'print stack traces').default(false))
    .addHelpText('after', `\nExample:\n  $ ${example}`)
}

/** Sets what the command does when it is `run`. `work` gets the parsed options, with the shared ones among them, then the arguments. */
export function setAction<Options>(
  command: Command,
  run: CommandRunner,
  work: (context: CommandContext, options: Options, args: readonly string[]) => Promise<CommandResult>,
): void {
  command.action(async () => {
    const options = command.opts<GlobalOptions & Options>()
    await run(options, (context) => work(context, options, command.processedArgs.flat()))
  })
}
