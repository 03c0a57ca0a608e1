import type { Reproduction, Variant } from './result.ts'

/** What a made-up run found out; fractions and points. */
export interface MadeUpFigures {
  readonly drop: number
  readonly macsSaved: number
  readonly timeSaved: number
  /** Default 0.5. */
  readonly idealTimeSaved?: number
}

/** A result whose gates of both kinds have the same figures at every target drop; at no drop they lose and save nothing. */
export function makeUpResult(network: string, figures: MadeUpFigures): Reproduction {
  return {
    specVersion: 'v1',
    network,
    scale: 'full',
    date: '2026-01-01',
    commit: null,
    hardware: { processor: 'made up', cores: 1, memoryGiB: 1, platform: 'none' },
    versions: { node: '20', sluice: '0', onnxruntime: '1' },
    training: null,
    weights: null,
    macs: 1e9,
    parameters: 1,
    variants: [makeUpVariant('paper', figures), makeUpVariant('best', figures)],
    commands: [],
  }
}

function makeUpVariant(name: Variant['name'], figures: MadeUpFigures): Variant {
  const { drop, macsSaved, timeSaved, idealTimeSaved = 0.5 } = figures
  const estimate = (median: number) => ({ median, low: median - 0.01, high: median + 0.01 })
  const timing = { median: 1, min: 1, max: 1 }
  const times = { gated: timing, noExit: timing, timeSaved, overhead: 0 }
  const atDrop = [0, 0.5, 1, 2].map((maxDrop) => ({
    maxDrop,
    drop: estimate(maxDrop === 0 ? 0 : drop),
    macsSaved: estimate(maxDrop === 0 ? 0 : macsSaved),
  }))
  const gate = { stage: 0, tensor: '/cut', share: 0.25, head: 'linear', parameters: 1, macs: 1, fitAccuracy: 0.8 }
  return {
    name,
    attach: { gates: [gate], seconds: { total: 1, forward: 1, plainForward: 1, fit: 1 } },
    compare: {
      samples: 10_000,
      splits: 10,
      seed: 0,
      intervals: { resamples: 1000, confidence: 0.95 },
      fullAccuracy: estimate(0.95),
      policies: [{ policy: 'softmax', atDrop, area: estimate(0.9) }],
    },
    calibrate: { policy: 'softmax', thresholds: [null], tuning: { samples: 5000, drop, macsSaved } },
    evaluate: {
      samples: 5000,
      accuracy: 0.93,
      fullAccuracy: 0.95,
      drop,
      agreement: 0.96,
      macsPerSample: 5e8,
      fullMacs: 1e9,
      macsSaved,
      exits: [{ stage: 0, share: 1, accuracy: 0.93 }],
      timeSaved,
    },
    bench: { batch: [{ size: 64, full: timing, ...times, macsSaved, idealTimeSaved }] },
  }
}
