import { escapeMarkup } from './svg.ts'

export interface HtmlPage {
  readonly title: string
  /** Markup. */
  readonly body: string
  /** CSS beside that of all pages. */
  readonly style?: string
}

/** One HTML page that needs nothing else: no script, no network. It follows the reader's light or dark mode. */
export function drawHtmlPage({ title, body, style = '' }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${sharedStyle}${style}</style>
</head>
<body>
${body}
</body>
</html>
`
}

const sharedStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --muted: #5c5c5c }
@media (prefers-color-scheme: dark) { :root { --muted: #b0b0b0 } }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem }
svg { width: 100%; height: auto; fill: var(--muted) }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { font-weight: 500; white-space: nowrap; padding: .15rem .5rem }
th[scope=row] { text-align: left; padding-left: 0 }
th[scope=col] { text-align: right; color: var(--muted) }
td { text-align: right; padding: .15rem .5rem; white-space: nowrap }
footer { margin-top: 3rem; font-size: .85rem; color: var(--muted) }
`
