/** In front of every name that Sluice adds to a graph for heads and feature taps, so that they can be told and removed. */
export const addedPrefix = 'sluice/'

/** Whether a node, tensor or initialiser was added for a head or a feature tap. */
export function isAdded(name: string): boolean {
  return name.startsWith(addedPrefix)
}
