import { InvalidArgumentError, SluiceError } from '@sluice/core'

/** A training's config is not one that a network can be trained by; the message names the field. */
export class InvalidTrainConfigError extends InvalidArgumentError {
  constructor(problems: readonly string[]) {
    super(`The config is invalid: ${problems.join('; ')}. Correct it and start again.`)
  }
}

/** The loss or a parameter is no longer a number. The last checkpoint was taken before that. */
export class TrainingDivergedError extends SluiceError {
  constructor(what: string, epoch: number, step: number) {
    super(
      'training-diverged',
      `${what} is no longer finite in step ${step} of epoch ${epoch + 1}. The last checkpoint is kept; lower optimiser.learningRate or raise optimiser.warmUpEpochs, and start again.`,
    )
  }
}

/** A checkpoint cannot be continued: damaged, of another release, or of another training. */
export class CheckpointError extends SluiceError {
  constructor(problem: string) {
    super('checkpoint', `The checkpoint cannot be resumed: ${problem}`)
  }
}
