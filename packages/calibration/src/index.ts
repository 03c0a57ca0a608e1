export {
  choosePlacement,
  type Placement,
  type PlacementOptions,
  type ProposalOptions,
  proposePlacements,
} from './choose-placement.ts'
export * from './drift/drift-monitor.ts'
export * from './drift/propose-thresholds.ts'
export { boundRunningRisk, type RiskInterval } from './drift/running-risk.ts'
export type { DriftEvidence } from './drift/shiryaev-roberts.ts'
export { type DropTarget, describeSampleSize } from './drop-target.ts'
export {
  checkExitTable,
  countExitCosts,
  countFullCost,
  type ExitCost,
  type ExitTable,
  type GateOutcomes,
  listRight,
  selectGateCosts,
  selectGates,
  selectSamples,
} from './exit-table.ts'
export * from './guarantee/control-risk.ts'
export { bernoulliDivergence, checkGuarantee, countSamplesNeeded, hoeffdingBentkusPValue } from './guarantee/p-value.ts'
export * from './guarantee/path-losses.ts'
export { createLevelPath, evaluateLevelPath, type LevelPath } from './level-path.ts'
export { evaluateThresholds, findExits, type OperatingPoint } from './operating-point.ts'
export { findParetoFront } from './pareto-front.ts'
export {
  type CachedGate,
  createExitTable,
  createGateContext,
  fitEndParameters,
  fitGateParameters,
  type ScoreCache,
  selectCachedGates,
  selectCachedSamples,
} from './score-cache.ts'
export {
  type HeldOutComparison,
  searchThresholds,
  type ThresholdSearch,
  type ThresholdSearchOptions,
  type ThresholdSearchResult,
} from './search-thresholds.ts'
export type { ThresholdGrid } from './threshold-grid.ts'
