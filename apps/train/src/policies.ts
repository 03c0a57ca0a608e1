import {
  type BundleManifest,
  createEndAnswer,
  createGateRule,
  createThresholdPolicy,
  type EndRule,
  type ExitPolicy,
  type GateRule,
  InvalidArgumentError,
  type PolicyFamily,
} from '@sluice/core'
import { createEnsembleFamily } from '@sluice/policy-ensemble'
import { createEntropyFamily } from '@sluice/policy-entropy'
import { createDeeperFamily, createLearnedFamily, createMarginFamily } from '@sluice/policy-learned'
import { createDifferenceFamily, createPatienceFamily, createWindowFamily } from '@sluice/policy-patience'
import { createSoftmaxFamily } from '@sluice/policy-softmax'

/** The families that the apps know by name. Add a family of your own here, or pass it to the functions that take one. */
export const policyFamilies: readonly PolicyFamily[] = [
  createSoftmaxFamily(),
  createEntropyFamily(),
  createMarginFamily({ score: 'maximum' }),
  createMarginFamily({ score: 'difference' }),
  createMarginFamily({ score: 'distance' }),
  createLearnedFamily(),
  createDeeperFamily(),
  createDeeperFamily({ features: true }),
  createPatienceFamily(),
  createWindowFamily(),
  createDifferenceFamily(),
  createEnsembleFamily({ base: createSoftmaxFamily({ fitTemperature: false }) }),
  createEnsembleFamily({ base: createLearnedFamily() }),
]

/** @throws InvalidArgumentError for a name that no family has */
export function findPolicyFamily(name: string, families = policyFamilies): PolicyFamily {
  const family = families.find((candidate) => candidate.name === name)
  if (family !== undefined) return family
  const names = families.map((candidate) => candidate.name).join(', ')
  throw new InvalidArgumentError(`There is no policy '${name}'; use one of ${names}.`)
}

/** A gate that is off; its parameters may not be fitted yet. */
const offRule: GateRule = { score: ({ rows }) => new Float32Array(rows), threshold: Number.POSITIVE_INFINITY }

/** The exit policy that a bundle's gates describe. @throws InvalidArgumentError for a policy that no family implements */
export function createBundlePolicy(manifest: BundleManifest, families = policyFamilies): ExitPolicy {
  const rules = manifest.gates.map(({ policy }): GateRule => {
    const family = findPolicyFamily(policy.name, families)
    if (policy.threshold === null) return offRule
    return createGateRule(family, policy.parameters, policy.threshold, manifest.classes.length)
  })
  const names = new Set(manifest.gates.map(({ policy }) => policy.name))
  return createThresholdPolicy([...names].join('+'), rules, findEndRule(manifest, families))
}

/** With every gate off the network answers as it is. */
function findEndRule(
  { gates, endPolicy, classes }: BundleManifest,
  families: readonly PolicyFamily[],
): EndRule | undefined {
  if (endPolicy === undefined || gates.every(({ policy }) => policy.threshold === null)) return undefined
  const { name, parameters } = endPolicy
  const family = findPolicyFamily(name, families)
  return {
    answer: createEndAnswer(family, parameters),
    expression: family.end?.express?.(parameters, classes.length),
  }
}
