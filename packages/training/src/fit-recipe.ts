import { InvalidArgumentError } from '@sluice/core'

/** How the optimiser goes about a head. */
export interface FitRecipe {
  /** Times that every fitted row is seen; where the hidden layer is factorised, before and after that together. */
  readonly epochs: number
  /** Rows of one step. */
  readonly batchRows: number
  /** Highest learning rate of the cycle, for features of standard deviation 1. */
  readonly peakLearningRate: number
  /** Dropout rate at the head's input, 0 <= rate < 1. */
  readonly inputDropout: number
  /** Dropout rate at the hidden layer, and in front of it behind convolutions, 0 <= rate < 1. */
  readonly hiddenDropout: number
}

/** For heads with a hidden layer of 256, found on ResNet-56's features of CIFAR-10 (docs/head-fitting.md). */
export const mlpRecipe: FitRecipe = {
  epochs: 10,
  batchRows: 800,
  peakLearningRate: 8e-3,
  inputDropout: 0.1,
  hiddenDropout: 0.15,
}

/** For linear heads, found there too. One-vs-rest hinge needs the many small steps. */
export const linearRecipe: FitRecipe = {
  epochs: 20,
  batchRows: 500,
  peakLearningRate: 5e-3,
  inputDropout: 0.1,
  hiddenDropout: 0,
}

/** For heads that convolve, found there too. */
export const convolutionalRecipe: FitRecipe = {
  epochs: 10,
  batchRows: 200,
  peakLearningRate: 8e-3,
  inputDropout: 0,
  hiddenDropout: 0.2,
}

/** @throws InvalidArgumentError for a value that no fit can use */
export function checkRecipe(recipe: FitRecipe): void {
  const { epochs, batchRows, peakLearningRate, inputDropout, hiddenDropout } = recipe
  const isCount = (value: number) => Number.isInteger(value) && value >= 1
  const isRate = (value: number) => value >= 0 && value < 1
  const isPositive = peakLearningRate > 0 && Number.isFinite(peakLearningRate)
  if (isCount(epochs) && isCount(batchRows) && isPositive && isRate(inputDropout) && isRate(hiddenDropout)) return
  throw new InvalidArgumentError(
    `The recipe ${JSON.stringify(recipe)} is not possible: epochs and batchRows are whole numbers from 1 on, peakLearningRate is above 0, dropout rates are 0 up to, not including, 1.`,
  )
}
