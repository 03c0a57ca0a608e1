import { countElements } from '@sluice/core'
import { findCuts, selectGateCuts } from '@sluice/onnx-graph'
import { type GatePlacement, placeGates } from '../attach/choose-gates.ts'
import { exportOnnx } from '../networks/export/export-onnx.ts'
import { listParameters, type NetworkPlan } from '../networks/network-plan.ts'
import type { TrainConfig } from './train-config.ts'

/** Gates that a config attaches to the trained, frozen network. */
export type LaterGates = Extract<TrainConfig['gates'], { readonly kind: 'after' }>

/** Where those gates go, as `attachGates` takes it; without names or a number they are placed from the data. */
export function describeLaterPlacement({ at, count }: Pick<LaterGates, 'at' | 'count'>): GatePlacement {
  if (at !== null) return { kind: 'at', tensors: at }
  return count === null ? { kind: 'auto', maxGates: 6, maxDrop: 2 } : { kind: 'count', count }
}

/** Checks before a long training that its gates can be placed. @throws InvalidArgumentError */
export function checkLaterGates(plan: NetworkPlan, gates: LaterGates): void {
  const placement = describeLaterPlacement(gates)
  if (placement.kind === 'auto') return
  const zeros = listParameters(plan).map(({ name, shape }) => [name, new Float32Array(countElements(shape))] as const)
  placeGates(selectGateCuts(findCuts(exportOnnx(plan, new Map(zeros)))), placement)
}
