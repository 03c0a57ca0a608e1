import type { DataFlowStep } from '@sluice/onnx-graph'

/** Steps in topological order, by depth-first search; in their own order where nothing else decides. */
export function sortSteps<T extends DataFlowStep>(steps: readonly T[]): T[] {
  const producers = new Map(steps.flatMap((step) => step.outputs.map((output) => [output, step] as const)))
  const sorted = new Set<T>()
  const entered = new Set<T>()
  const visit = (step: T) => {
    if (entered.has(step)) return
    entered.add(step)
    for (const input of step.inputs) {
      const producer = producers.get(input)
      if (producer !== undefined) visit(producer)
    }
    sorted.add(step)
  }
  for (const step of steps) visit(step)
  return [...sorted]
}
