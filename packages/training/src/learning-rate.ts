/** Share of the steps over which the rate rises. */
const warmUpShare = 0.2

/**
 * The learning rates of `steps` steps: a linear rise to `peak` over the first fifth, then half a cosine down to 0
 * (one cycle, Smith and Topin, arXiv 1708.07120).
 */
export function planLearningRates(peak: number, steps: number): Float32Array {
  return Float32Array.from({ length: steps }, (_, step) => {
    const done = (step + 0.5) / steps
    if (done < warmUpShare) return (peak * done) / warmUpShare
    return (peak / 2) * (1 + Math.cos((Math.PI * (done - warmUpShare)) / (1 - warmUpShare)))
  })
}
