/** What decides the learning rate of each step. */
export interface LearningRateSchedule {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number
  /** Steps of linear growth from 0 to the peak (Goyal et al., arXiv 1706.02677, section 2.2); may be a fraction. */
  readonly warmUpSteps: number
  /** Steps of the whole training; from the peak on the rate falls to 0 as a cosine (arXiv 1608.03983, equation 5). */
  readonly totalSteps: number
}

/** The learning rate of a step, counted from 0. */
export function learningRateAt(step: number, { peak, warmUpSteps, totalSteps }: LearningRateSchedule): number {
  if (step + 1 < warmUpSteps) return (peak * (step + 1)) / warmUpSteps
  const fallen = (step - Math.max(0, warmUpSteps - 1)) / Math.max(1, totalSteps - Math.max(0, warmUpSteps - 1))
  return (peak * (1 + Math.cos(Math.PI * fallen))) / 2
}
