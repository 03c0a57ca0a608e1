/** Whether an error of the operating system has one of these codes, e.g. `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** The error's own words. */
export function describeSystemError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
