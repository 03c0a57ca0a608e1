/** A fraction of 1 as per cent, e.g. `43.2 %`. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** MACs in the unit that fits, e.g. `125.5 MMACs`. */
export function formatMacs(macs: number): string {
  if (macs >= 1e9) return `${(macs / 1e9).toFixed(3)} GMACs`
  if (macs >= 1e6) return `${(macs / 1e6).toFixed(1)} MMACs`
  return `${(macs / 1e3).toFixed(1)} kMACs`
}

/** Rows of cells as aligned columns; the first row is the head. Numbers belong on the right, so all but the first align there. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  const [head = [], ...body] = rows
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)]
}
