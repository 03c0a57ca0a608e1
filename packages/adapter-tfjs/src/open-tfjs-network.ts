import { InvalidArgumentError } from '@sluice/core'
import { findModelFlow } from './data-flow.ts'
import { UnsupportedTfjsModelError } from './errors.ts'
import { loadModel } from './load-model.ts'
import type { DeclaredInput } from './loaded-model.ts'
import { measureModel } from './model-costs.ts'
import { readModelFiles } from './model-files.ts'
import { readPortableFiles } from './portable-files.ts'
import { createTappedRun } from './tapped-run.ts'
import type { Tfjs } from './tfjs.ts'
import type { TfjsModelFiles, TfjsNetwork, TfjsNetworkOptions } from './tfjs-network.ts'

/**
 * Reads a saved model of either format and brings it into the memory of the active backend; the caller disposes it. The
 * shapes of a graph model are found by running blank rows through it: one, then two.
 *
 * @throws InvalidTfjsModelError for damaged or missing parts
 * @throws UnsupportedTfjsModelError for a model whose output depends on several inputs, whose rows are not samples, or
 * that leaves sizes open which `options` do not give
 * @throws TfjsError when TensorFlow.js refuses the model
 */
export async function openTfjsNetwork(
  tf: Tfjs,
  files: TfjsModelFiles,
  { inputShape, output }: TfjsNetworkOptions = {},
): Promise<TfjsNetwork> {
  const data = await readModelFiles(files)
  const model = await loadModel(tf, data)
  try {
    const flow = findModelFlow(model, output)
    const rowDims = chooseRowShape(flow.declared, inputShape)
    const costs = measureModel(model, flow, rowDims)
    const outputShape = costs.rowShape(flow.output)
    if (outputShape === null) {
      throw new UnsupportedTfjsModelError(
        `The rows of '${flow.output}' are not samples; gates need one row per sample.`,
      )
    }
    let disposed = false
    return {
      format: model.format,
      inputs: [{ name: flow.input, shape: ['batch', ...rowDims] }],
      outputs: [{ name: flow.output, shape: ['batch', ...outputShape] }],
      parameters: data.parameters,
      get macs() {
        return costs.countMacs()
      },
      get cuts() {
        return costs.findCuts()
      },
      run: createTappedRun(tf, model, flow, rowDims, costs),
      files: () => readPortableFiles(files),
      dispose() {
        if (!disposed) model.dispose()
        disposed = true
      },
    }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Without the batch. */
function chooseRowShape({ name, shape }: DeclaredInput, chosen: readonly number[] | undefined): readonly number[] {
  const [batch = null, ...declared] = shape
  const [, ...dims] = chosen ?? []
  if (batch !== null) {
    throw new UnsupportedTfjsModelError(
      `Input '${name}' takes batches of ${batch} alone: ${describeShape(shape)}. Save the model with an open batch size.`,
    )
  }
  if (chosen === undefined) {
    const known = declared.filter((size) => size !== null)
    if (shape.length > 0 && known.length === declared.length) return known
    throw new UnsupportedTfjsModelError(
      `Input '${name}' leaves sizes open: ${describeShape(shape)}. Export the model with a fixed size, the batch alone open, or pass openTfjsNetwork the option inputShape, e.g. [1, 224, 224, 3].`,
    )
  }
  const fits =
    shape.length === 0 || (dims.length === declared.length && declared.every((s, i) => (s ?? dims[i]) === dims[i]))
  if (fits) return dims
  throw new InvalidArgumentError(
    `Input '${name}' has shape ${describeShape(shape)}; [${chosen.join(', ')}] does not fit it.`,
  )
}

function describeShape(shape: DeclaredInput['shape']): string {
  return shape.length === 0 ? 'of unknown rank' : `[${shape.map((size) => size ?? '?').join(', ')}]`
}
