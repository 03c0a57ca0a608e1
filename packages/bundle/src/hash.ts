import { HashingUnavailableError } from './errors.ts'

/** SHA-256 as 64 lower-case hexadecimal digits. @throws HashingUnavailableError on insecure pages */
export async function computeSha256(bytes: Uint8Array): Promise<string> {
  // On pages without a secure context `crypto` has no `subtle`, whatever its type says.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle
  if (subtle === undefined) throw new HashingUnavailableError()
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
