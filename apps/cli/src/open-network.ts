import { createOnnxNetwork, type FrozenNetwork } from '@sluice/app-train'
import type { AnalyzeModelOptions } from '@sluice/onnx-graph'
import { readOnnxFile } from '@sluice/onnx-graph/node'
import type { CommandContext } from './context.ts'
import { createEngine } from './runtime.ts'

/** Opens a trained network. Nothing runs, and no engine is loaded, until a pass over data is opened. */
export async function openNetwork(
  path: string,
  context: CommandContext,
  options: AnalyzeModelOptions = {},
): Promise<FrozenNetwork> {
  return createOnnxNetwork(await readOnnxFile(path), createEngine(context), options)
}
