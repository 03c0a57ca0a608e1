import type { PlanBuilder } from '../plan-builder.ts'

/** The shortcut with parameters: a 1x1 convolution and batch normalisation (arXiv 1512.03385, section 3.3, option B). */
export function appendProjection(
  plan: PlanBuilder,
  block: string,
  input: string,
  { channels, stride }: { readonly channels: number; readonly stride: number },
): string {
  const projected = plan.convolution(`${block}.shortcut.conv`, input, { channels, size: 1, stride })
  return plan.normalize(`${block}.shortcut.norm`, projected)
}
