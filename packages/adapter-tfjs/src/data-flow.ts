import type { DataFlow } from '@sluice/onnx-graph'
import { UnsupportedTfjsModelError } from './errors.ts'
import type { DeclaredInput, LoadedModel, Operation } from './loaded-model.ts'
import { traceBack } from './trace-back.ts'

/** The way from a model's one input to the one output that counts. */
export interface ModelFlow extends DataFlow {
  readonly declared: DeclaredInput
  readonly output: string
  readonly steps: readonly Operation[]
}

/**
 * Finds what lies between input and output. Operations that read the input's shape alone are on the way, too, because
 * a stage that needs them needs what they read.
 *
 * @param output name of the output, or of a tensor to end at; not needed where the model has one output
 * @throws UnsupportedTfjsModelError unless the output depends on exactly one input
 */
export function findModelFlow(model: LoadedModel, output?: string): ModelFlow {
  const target = chooseOutput(model, output)
  const live = traceBack(model.operations, [target], [])
  const read = new Set([...live.flatMap(({ inputs }) => inputs), target])
  const declared = requireOneInput(model.inputs.filter(({ name }) => read.has(name)))
  const data = new Set([declared.name])
  const steps = live.filter(({ inputs, outputs }) => {
    const isData = inputs.some((input) => data.has(input))
    if (isData) for (const tensor of outputs) data.add(tensor)
    return isData
  })
  return { input: declared.name, declared, output: target, outputs: [target], steps }
}

/** A chosen tensor may be any that an operation yields: a truncated network ends at a cut. */
function chooseOutput({ outputs, operations }: LoadedModel, chosen: string | undefined): string {
  const names = `'${outputs.join("', '")}'`
  if (chosen !== undefined) {
    if (operations.some((operation) => operation.outputs.includes(chosen))) return chosen
    throw new UnsupportedTfjsModelError(`The model has no tensor '${chosen}'; its outputs are ${names}.`)
  }
  const [output, ...others] = outputs
  if (output !== undefined && others.length === 0) return output
  throw new UnsupportedTfjsModelError(
    `The model has ${outputs.length} outputs (${names}). Export it with the one of the class scores alone, or pass openTfjsNetwork that one's name as the option output.`,
  )
}

function requireOneInput(inputs: readonly DeclaredInput[]): DeclaredInput {
  const [input, ...others] = inputs
  if (input === undefined) throw new UnsupportedTfjsModelError('The model has no input that its output depends on.')
  if (others.length > 0) {
    const names = inputs.map(({ name }) => name).join("', '")
    throw new UnsupportedTfjsModelError(
      `The model has ${inputs.length} inputs ('${names}'); gates need a model with one. Fold the others into constants, or save the part behind them.`,
    )
  }
  return input
}
