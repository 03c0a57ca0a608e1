/** What the acceptance reads of the command's JSON answers; the contract is the command's documentation. */

export interface InspectAnswer {
  readonly macs: number
  readonly cuts: readonly { readonly tensor: string; readonly shape: readonly number[]; readonly share: number }[]
}

export interface AttachAnswer {
  readonly bundle: string
  readonly gates: readonly { readonly tensor: string; readonly share: number; readonly fitAccuracy: number }[]
  readonly seconds: {
    readonly total: number
    readonly forward: number
    readonly plainForward: number
    readonly fit: number
  }
}

export interface CalibrateAnswer {
  readonly thresholds: readonly (number | null)[]
}

export interface EvaluateAnswer {
  readonly samples: number
  readonly drop: number
  readonly macsSaved: number
}

export interface BenchAnswer {
  readonly batch: readonly {
    readonly size: number
    readonly full: { readonly median: number }
    readonly fullHinted?: { readonly median: number }
    readonly timeSaved: number
    readonly idealTimeSaved: number
    readonly overhead: number
    readonly staged?: { readonly timeSaved: number }
    readonly against?: { readonly timeSaved: number }
    readonly fused?: { readonly timeSaved: number; readonly overhead: number }
  }[]
}
