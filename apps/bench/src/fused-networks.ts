import { exportGatedNetwork } from '@sluice/app-train'
import type { Bundle } from '@sluice/core'
import { type OnnxEngine, replaceThresholds } from '@sluice/onnx-graph'
import { loadAll } from './load-all.ts'
import { loadOnnxNetwork } from './onnx-plain-networks.ts'
import type { PlainNetwork } from './plain-networks.ts'

/** A bundle as `sluice export` writes it, each in one session. */
export interface FusedNetworks {
  readonly gated: PlainNetwork<unknown>
  /** The same with gates that never fire. */
  readonly noExit: PlainNetwork<unknown>
}

/** @throws InvalidArgumentError, UnsupportedGraphError of `exportGatedNetwork` */
export async function loadFusedNetworks(bundle: Bundle, engine: OnnxEngine): Promise<FusedNetworks> {
  const { model, thresholds } = await exportGatedNetwork(bundle)
  const never = new Map(Array.from(thresholds.keys(), (name) => [name, Number.POSITIVE_INFINITY]))
  const [gated, noExit] = await loadAll([
    () => loadOnnxNetwork(engine, model),
    () => loadOnnxNetwork(engine, replaceThresholds(model, never)),
  ])
  return { gated, noExit }
}
