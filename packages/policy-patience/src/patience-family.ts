import { argmaxRows, type ClassScores, checkGateSample, noContext, type PolicyFamily } from '@sluice/core'

/**
 * Exit score: the number of gates in a row, this one included, that give this gate's answer; 1 where the gate before gives
 * another, or where there is none. A threshold of `c` is PABEE with the patience `c - 1` (Zhou et al. 2020, arXiv
 * 2006.04152, section 3, whose counter starts at 0). Nothing is learnt.
 *
 * The score takes as many values as there are gates, so there are few thresholds that differ: thresholds between two
 * integers mean the higher one.
 */
export function createPatienceFamily(): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'patience',
    range: [1, Number.POSITIVE_INFINITY],
    usesEarlierGates: true,
    fit(sample) {
      checkGateSample(sample)
      return {}
    },
    createScore:
      () =>
      (scores, { earlier } = noContext) =>
        countAgreeing(scores, earlier),
  }
}

function countAgreeing(scores: ClassScores, earlier: readonly ClassScores[]): Float32Array {
  const before = earlier.map(argmaxRows).reverse()
  return Float32Array.from(argmaxRows(scores), (answer, row) => {
    const differing = before.findIndex((answers) => answers[row] !== answer)
    return 1 + (differing < 0 ? before.length : differing)
  })
}
