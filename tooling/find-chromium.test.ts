import { expect, test } from 'vitest'
import { findChromium } from './find-chromium.ts'

const only = (path: string) => (candidate: string) => candidate === path

test('the first usual place that exists is taken', () => {
  expect(findChromium('', only('/usr/bin/google-chrome'))).toBe('/usr/bin/google-chrome')
})

test('SLUICE_CHROMIUM goes first, and one that does not exist is an error', () => {
  expect(findChromium('/opt/chrome', () => true)).toBe('/opt/chrome')
  expect(() => findChromium('/opt/chrome', only('/usr/bin/chromium'))).toThrow("SLUICE_CHROMIUM is '/opt/chrome'")
})

test('a machine without Chromium has none', () => {
  expect(findChromium('', () => false)).toBeNull()
})
