import type { FrozenNetwork } from '@sluice/app-train'
import type { Command } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandResult, CommandRunner } from '../context.ts'
import { formatMacs, formatShare, formatTable } from '../format.ts'
import { withNetwork } from '../open-network.ts'
import { parseCountList } from '../parse-option.ts'

interface InspectOptions {
  readonly input?: readonly number[]
}

/** `sluice inspect`: what a network costs, and where it can be cut. */
export function addInspectCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'inspect <model>',
    'MACs, parameters, inputs, outputs and every cut of a network, ONNX or TensorFlow.js',
    'sluice inspect resnet50.onnx --input 1,3,224,224',
  ).option('--input <shape>', 'shape of the input, where the file leaves it open', parseCountList('--input'))
  setAction<InspectOptions>(command, run, async (context, { input: inputShape }, [path = '']) =>
    withNetwork(path, context, { inputShape, runs: false }, async ({ network }) => describe(path, network)),
  )
}

function describe(path: string, { inputs, outputs, macs, parameters, cuts }: FrozenNetwork): CommandResult {
  return {
    json: {
      macs,
      parameters,
      inputs,
      outputs,
      cuts: cuts.map(({ tensor, shape, macs, share }) => ({ tensor, shape, macs, share })),
    },
    lines: [
      `${path}: ${formatMacs(macs)} per sample (1 MAC = 2 FLOPs), ${parameters.toLocaleString('en')} parameters`,
      ...inputs.map(({ name, shape }) => `input  ${name} [${shape.join(', ')}]`),
      ...outputs.map(({ name, shape }) => `output ${name} [${shape.join(', ')}]`),
      '',
      ...formatTable([
        ['cut', 'shape', 'MACs', 'share'],
        ...cuts.map((cut) => [cut.tensor, cut.shape.join('x'), formatMacs(cut.macs), formatShare(cut.share)]),
      ]),
    ],
  }
}
