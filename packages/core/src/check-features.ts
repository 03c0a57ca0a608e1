import type { StagedNetwork } from './backend.ts'
import { InvalidArgumentError } from './errors.ts'
import type { ExitPolicy } from './exit-policy.ts'

/**
 * Checks, before anything runs, that every gate yields the pooled features that a policy, or policy family, looks at.
 * @throws InvalidArgumentError for a policy that `usesFeatures` and a gate that yields none
 */
export function checkFeatures(
  { name, usesFeatures }: Pick<ExitPolicy, 'name' | 'usesFeatures'>,
  { stages }: Pick<StagedNetwork, 'stages'>,
): void {
  const gate = stages.slice(0, -1).findIndex(({ features }) => features === undefined)
  if (!usesFeatures || gate < 0) return
  throw new InvalidArgumentError(
    `The policy '${name}' looks at pooled features of the network, and gate ${gate} of this bundle yields none. Attach the gates again with sluice attach --features, or use another policy.`,
  )
}
