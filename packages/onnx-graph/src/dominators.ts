/** One step of a network, as names of the tensors that it reads and yields. */
export interface DataFlowStep {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** How data flow through a network, whatever its file format. */
export interface DataFlow {
  readonly input: string
  readonly outputs: readonly string[]
  /** In topological order; those alone that lie on a path from the input to an output. */
  readonly steps: readonly DataFlowStep[]
}

/**
 * Names of the tensors that every path from the input to the outputs passes, in network order, without the input and the
 * outputs themselves. Tensors that do not flow from the input (weights) may stand among a step's inputs.
 *
 * One sweep in topological order, exact: a tensor is a cut if and only if it is the only tensor still to be read once
 * its producer has run. For every other step on a path is an ancestor or a descendant of a cut, so in any topological
 * order exactly the ancestors have run by then, and an edge around the cut would be a second tensor still to be read.
 */
export function findDominators({ input, outputs, steps }: DataFlow): string[] {
  const readsLeft = countReads(steps, outputs)
  const open = new Set([input])
  const dominators: string[] = []
  for (const step of steps) {
    for (const tensor of step.inputs) {
      const left = (readsLeft.get(tensor) ?? 0) - 1
      readsLeft.set(tensor, left)
      if (left === 0) open.delete(tensor)
    }
    for (const tensor of step.outputs) if (readsLeft.has(tensor)) open.add(tensor)
    const dominator = step.outputs.find((tensor) => open.has(tensor) && open.size === 1)
    if (dominator !== undefined && !outputs.includes(dominator)) dominators.push(dominator)
  }
  return dominators
}

/** How many steps read each tensor; a network output is read once more at the end. */
function countReads(steps: readonly DataFlowStep[], outputs: readonly string[]): Map<string, number> {
  const reads = new Map<string, number>()
  for (const tensor of [...steps.flatMap(({ inputs }) => inputs), ...outputs]) {
    reads.set(tensor, (reads.get(tensor) ?? 0) + 1)
  }
  return reads
}
