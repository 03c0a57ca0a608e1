// Preloaded into a child process: leaves its peak resident memory, in bytes, in the file that SLUICE_PEAK_MEMORY_FILE names.
import { writeFileSync } from 'node:fs'

const file = process.env.SLUICE_PEAK_MEMORY_FILE
if (file) {
  process.on('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS * 1024)))
}
