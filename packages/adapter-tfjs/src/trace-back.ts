import type { DataFlowStep } from '@sluice/onnx-graph'

/** Those of topologically sorted steps from which a target is reached without passing one of `boundary`, in their order. */
export function traceBack<T extends DataFlowStep>(
  steps: readonly T[],
  targets: readonly string[],
  boundary: readonly string[],
): T[] {
  const needed = new Set(targets)
  for (const tensor of boundary) needed.delete(tensor)
  const reached = steps.toReversed().filter((step) => {
    if (!step.outputs.some((output) => needed.has(output))) return false
    for (const input of step.inputs) if (!boundary.includes(input)) needed.add(input)
    return true
  })
  return reached.reverse()
}
