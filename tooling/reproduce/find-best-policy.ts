import type { CompareAnswer } from './sluice-answers.ts'

/** One policy's medians at the drops that were asked for. */
export type PolicyFigures = CompareAnswer['policies'][number]

/** The figures of the gates and thresholds that were chosen for a drop. @throws Error where none were */
export function findPoint({ policy, atDrop }: PolicyFigures, maxDrop: number): PolicyFigures['atDrop'][number] {
  const point = atDrop.find((candidate) => candidate.maxDrop === maxDrop)
  if (point !== undefined) return point
  throw new Error(`Policy ${policy} was not judged for a drop of ${maxDrop} points.`)
}

/**
 * The policy that saves most MACs when gates and thresholds are chosen for a drop, of those whose median drop keeps to it
 * where any does. @throws Error where no policy was compared
 */
export function findBestPolicy({ policies }: Pick<CompareAnswer, 'policies'>, maxDrop: number): PolicyFigures {
  const within = policies.filter((figures) => findPoint(figures, maxDrop).drop.median <= maxDrop)
  const saved = (figures: PolicyFigures) => findPoint(figures, maxDrop).macsSaved.median
  const [best] = (within.length > 0 ? within : policies).toSorted((a, b) => saved(b) - saved(a))
  if (best !== undefined) return best
  throw new Error('No policy was compared.')
}
