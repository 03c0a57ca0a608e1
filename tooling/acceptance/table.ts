/** One row of the acceptance table. Checked rows fail the run when missed; printed ones differ between machines. */
export interface AcceptanceRow {
  readonly what: string
  readonly target: string
  readonly measured: string
  /** Null where nothing is asked. */
  readonly isMet: boolean | null
  readonly kind: 'checked' | 'printed'
}

/** The rows as a Markdown table. */
export function formatAcceptance(rows: readonly AcceptanceRow[]): string {
  const lines = rows.map(({ what, target, measured, isMet }) => {
    const verdict = isMet === null ? '' : isMet ? 'met' : 'missed'
    return `| ${what} | ${target} | ${measured} | ${verdict} |`
  })
  return ['| what | target | measured | |', '|---|---|---|---|', ...lines].join('\n')
}

type Limit = (what: string, value: number, limit: number, kind: AcceptanceRow['kind'], unit?: string) => AcceptanceRow

/** A row whose figure has to be at most `limit`. */
export const atMost: Limit = createLimit('≤', (value, limit) => value <= limit)

/** A row whose figure has to be at least `limit`. */
export const atLeast: Limit = createLimit('≥', (value, limit) => value >= limit)

/** A printed row that states a figure and asks nothing of it. */
export function state(what: string, value: number): AcceptanceRow {
  return { what, target: '', measured: format(value), isMet: null, kind: 'printed' }
}

function createLimit(sign: string, isMet: (value: number, limit: number) => boolean): Limit {
  return (what, value, limit, kind, unit = '') => ({
    what,
    target: `${sign} ${Number(limit.toPrecision(4))}${unit}`,
    measured: `${format(value)}${unit}`,
    isMet: isMet(value, limit),
    kind,
  })
}

function format(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3)
}
