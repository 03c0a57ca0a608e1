import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { filterProblems } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/**
 * Looks at a package as its users get it: publint says whether the tarball is put together well, Are The Types Wrong
 * whether TypeScript finds its declarations. ESM only: importers in Node's ESM and in bundlers count, `require` does not.
 *
 * @returns one line per problem
 */
export async function findPackageProblems(tarball: Uint8Array<ArrayBuffer>): Promise<string[]> {
  return [...(await findPublishingProblems(tarball)), ...(await findTypeProblems(tarball))]
}

async function findPublishingProblems(tarball: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`)
}

async function findTypeProblems(tarball: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(tarball))
  if (!analysis.types) return ['types: the package has none']
  const problems = (['node16-esm', 'bundler'] as const).flatMap((resolutionKind) =>
    filterProblems(analysis, { resolutionKind }),
  )
  return problems.map((problem) => `types: ${JSON.stringify(problem)}`)
}
