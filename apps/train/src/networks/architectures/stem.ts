import type { PlanBuilder } from '../plan-builder.ts'

/**
 * Convolution, batch normalisation and ReLU: 3x3 of stride 1 for CIFAR; 7x7 of stride 2 and a maximum over 3x3 of stride 2
 * for ImageNet.
 */
export function appendStem(plan: PlanBuilder, form: 'cifar' | 'imagenet', channels: number): string {
  const window = form === 'cifar' ? { size: 3 } : { size: 7, stride: 2 }
  const map = plan.normalize('stem.norm', plan.convolution('stem.conv', 'input', { channels, ...window }))
  if (form === 'cifar') return plan.activate('stem', map)
  return plan.pool('stem', plan.activate('stem.relu', map), 'maximum', 3, 2, 1)
}
