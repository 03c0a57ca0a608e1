import { InvalidArgumentError } from '@sluice/core'

/**
 * Chooses `count` cuts spread evenly by share of MACs: for `i = 1..count` the cut nearest to `i / (count + 1)` that is
 * still free and leaves enough cuts behind it. Returns their indices, ascending.
 *
 * @param cuts in network order; `share` is the share of the network's MACs up to the cut, 0..1, ascending
 * @throws InvalidArgumentError unless `count` is a whole number from 1 to the number of cuts
 */
export function spreadGates(cuts: readonly { readonly share: number }[], count: number): number[] {
  if (!Number.isInteger(count) || count < 1 || count > cuts.length) {
    throw new InvalidArgumentError(
      `${count} gates are not possible; the network has ${cuts.length} cuts, so ask for 1 to ${cuts.length}.`,
    )
  }
  const chosen: number[] = []
  for (let gate = 1; gate <= count; gate++) {
    const target = gate / (count + 1)
    const distance = (index: number) => Math.abs((cuts[index]?.share ?? 0) - target)
    let best = (chosen.at(-1) ?? -1) + 1
    for (let index = best + 1; index <= cuts.length - 1 - (count - gate); index++) {
      if (distance(index) < distance(best)) best = index
    }
    chosen.push(best)
  }
  return chosen
}
