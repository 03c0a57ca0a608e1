// Accuracy at equal MACs of bundles of one network: npx tsx --conditions=@sluice/source tooling/joint-training/compare.ts
// PICTURE.svg DATA NAME=BUNDLE…, e.g. curves.svg "cifar10:DIR?split=test&shuffle=0" frozen=frozen.sluice joint=run/gated.sluice.
// Thresholds are chosen on the first 5,000 samples and judged on all others.

import { writeFileSync } from 'node:fs'
import { seriesColors } from '@sluice/app-bench'
import { drawJudgedCurves, type JudgedCurve, judgePath } from '../acceptance/curve.ts'

const [picture = '', data = '', ...bundles] = process.argv.slice(2)
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]

const curves: JudgedCurve[] = []
for (const [index, [name = '', bundle = '']] of bundles.map((argument) => argument.split('=')).entries()) {
  const path = await judgePath({ bundle, policy: 'softmax' }, `${data}&limit=5000`, `${data}&skip=5000`)
  curves.push({ name, color: seriesColors[index % seriesColors.length] ?? '', ...path })
}
const title = 'Accuracy of a gated ResNet-20 on CIFAR-10 against MACs per image'
writeFileSync(picture, drawJudgedCurves({ title, network: `${curves[0]?.name}, every layer` }, curves))

const heading = ['MACs saved, at least', ...shares.map((share) => `${100 * share} %`), 'full network']
const rows = curves.map(({ name, points }) => {
  const best = (share: number) =>
    Math.max(...points.filter(({ saved }) => saved >= share).map(({ accuracy }) => accuracy))
  const accuracies = [...shares.map(best), points[0]?.fullAccuracy ?? 0]
  return [name, ...accuracies.map((accuracy) => (100 * accuracy).toFixed(1))]
})
for (const row of [heading, heading.map(() => '---'), ...rows]) process.stdout.write(`| ${row.join(' | ')} |\n`)
