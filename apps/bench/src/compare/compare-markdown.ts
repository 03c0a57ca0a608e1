import { explainComparison, listTables, type TextTable } from './compare-tables.ts'
import type { Comparison } from './comparison.ts'

/** A comparison as Markdown. */
export function formatComparison(comparison: Comparison): string {
  const parts = [`# Exit policies on ${comparison.name}`, explainComparison(comparison).join('\n')]
  return `${[...parts, ...listTables(comparison).map(formatTable)].join('\n\n')}\n`
}

function formatTable({ title, head, rows }: TextTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`## ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
