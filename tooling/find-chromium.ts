import { existsSync } from 'node:fs'

const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/**
 * The Chromium that browser tests run in: `SLUICE_CHROMIUM`, else the first of the usual places that exists; null where
 * there is none.
 * @throws Error for a `SLUICE_CHROMIUM` that does not exist
 */
export function findChromium(
  wanted: string | undefined = process.env.SLUICE_CHROMIUM,
  exists: (path: string) => boolean = existsSync,
): string | null {
  if (!wanted) return usualPaths.find(exists) ?? null
  if (exists(wanted)) return wanted
  throw new Error(
    `SLUICE_CHROMIUM is '${wanted}', which does not exist. Correct it, or unset it to look in the usual places.`,
  )
}
