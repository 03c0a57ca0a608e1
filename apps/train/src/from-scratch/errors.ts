import { InvalidArgumentError, SluiceError } from '@sluice/core'

/** A training's config is not one that a network can be trained by; the message names the field. */
export class InvalidTrainConfigError extends InvalidArgumentError {
  constructor(problems: readonly string[]) {
    super(`The config is invalid: ${problems.join('; ')}. Correct it and start again.`)
  }
}

/** The loss or a parameter is no longer a number. A checkpoint, if there is one, was taken before that. */
export class TrainingDivergedError extends SluiceError {
  constructor(
    what: string,
    { epoch, step, hasCheckpoint }: { readonly epoch: number; readonly step: number; readonly hasCheckpoint: boolean },
  ) {
    const place = step === 0 ? `after epoch ${epoch}` : `in step ${step} of epoch ${epoch + 1}`
    const kept = hasCheckpoint ? 'The last checkpoint is kept' : 'There is no checkpoint yet'
    super(
      'training-diverged',
      `${what} is no longer finite ${place}. ${kept}; lower optimiser.learningRate or raise optimiser.warmUpEpochs, and start again.`,
    )
  }
}

/** A checkpoint cannot be continued: damaged, of another release, or of another training. */
export class CheckpointError extends SluiceError {
  constructor(problem: string) {
    super('checkpoint', `The checkpoint cannot be resumed: ${problem}`)
  }
}
