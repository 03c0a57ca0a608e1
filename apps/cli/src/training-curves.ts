import { type ChartSeries, drawHtmlPage, drawLineChart, seriesColors } from '@sluice/app-bench'
import type { EpochMetrics } from '@sluice/app-train'

/**
 * The curves of a training as one HTML page that needs nothing else: the loss, the accuracy of each exit and the learning
 * rate, epoch by epoch.
 * @param metrics of at least one epoch
 * @param exits names of the exits, the network's end last
 */
export function drawTrainingCurves(metrics: readonly EpochMetrics[], exits: readonly string[]): string {
  const curve = (name: string, color: string, read: (epoch: EpochMetrics) => number): ChartSeries => {
    const points = metrics.map((epoch) => ({ x: epoch.epoch, y: read(epoch) }))
    return { name, color, marker: points.length === 1, points }
  }
  const chart = (yLabel: string, series: readonly ChartSeries[], legend: 'top' | 'bottom') =>
    drawLineChart({ title: `${yLabel} by epoch`, xLabel: 'epoch', yLabel, series, legend })
  const isTested = metrics.every(({ testAccuracies }) => testAccuracies !== null)
  const accuracies = exits.map((exit, index) => {
    const color = seriesColors[index % seriesColors.length] ?? ''
    return curve(
      exit,
      color,
      ({ testAccuracies, trainAccuracies }) => 100 * ((testAccuracies ?? trainAccuracies)[index] ?? 0),
    )
  })
  const trained = curve('end, training', '#888888', ({ trainAccuracies }) => 100 * (trainAccuracies.at(-1) ?? 0))
  return drawHtmlPage({
    title: 'Training curves',
    body: `<h1>Training curves</h1>
<p>${metrics.length} epochs.</p>
<h2>Loss</h2>
${chart('loss', [curve('training', '#3b82f6', ({ loss }) => loss)], 'top')}
<h2>Accuracy on the ${isTested ? 'test' : 'training'} data</h2>
${chart('accuracy (%)', isTested ? [...accuracies, trained] : accuracies, 'bottom')}
<h2>Learning rate</h2>
${chart('learning rate', [curve('last step of the epoch', '#3b82f6', ({ learningRate }) => learningRate)], 'top')}
<footer>Made by sluice train; metrics.csv has the figures.</footer>`,
  })
}
