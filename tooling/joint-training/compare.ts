// Accuracy at equal MACs of bundles of one network: npx tsx --conditions=@sluice/source tooling/joint-training/compare.ts
// DATA NAME=BUNDLE…, e.g. "cifar10:DIR?split=test&shuffle=0" joint=run/gated.sluice frozen=frozen.sluice. Thresholds are chosen
// on the first 5,000 samples and judged on all others.

import { judgePath } from '../acceptance/curve.ts'

const [data = '', ...bundles] = process.argv.slice(2)
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]

process.stdout.write(
  `| MACs saved, at least | ${shares.map((share) => `${100 * share} %`).join(' | ')} | full network |\n`,
)
process.stdout.write(`|---${'|---'.repeat(shares.length + 1)}|\n`)
for (const [name, bundle] of bundles.map((argument) => argument.split('=') as [string, string])) {
  const { points } = await judgePath({ bundle, policy: 'softmax' }, `${data}&limit=5000`, `${data}&skip=5000`)
  const best = (share: number) =>
    Math.max(...points.filter(({ saved }) => saved >= share).map(({ accuracy }) => accuracy))
  const cells = shares.map((share) => (100 * best(share)).toFixed(1))
  process.stdout.write(`| ${name} | ${cells.join(' | ')} | ${(100 * (points[0]?.fullAccuracy ?? 0)).toFixed(1)} |\n`)
}
