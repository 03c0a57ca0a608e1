import { SluiceError } from '@sluice/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DataKind, parseDataSpec } from './data-spec.ts'
import { DataSpecError } from './errors.ts'

const pathKinds: readonly DataKind[] = ['cifar10', 'cifar100', 'idx', 'images', 'npy']

describe('parseDataSpec', () => {
  test('reads every key, in any order', () => {
    expect(parseDataSpec('cifar10:data/cifar?shuffle=7&limit=100&split=train&skip=5')).toEqual({
      kind: 'cifar10',
      path: 'data/cifar',
      split: 'train',
      selection: { shuffle: 7, limit: 100, skip: 5 },
    })
    expect(parseDataSpec('glyphs')).toEqual({ kind: 'glyphs', path: '', split: null, selection: {} })
  })

  test('gives back what a string was put together from', () => {
    const selection = fc.record(
      { shuffle: fc.nat(), skip: fc.nat(), limit: fc.integer({ min: 1, max: 2 ** 31 }) },
      { requiredKeys: [] },
    )
    const path = fc.string({ minLength: 1 }).filter((text) => !text.includes('?'))
    fc.assert(
      fc.property(fc.constantFrom(...pathKinds), path, selection, (kind, path, selection) => {
        const query = Object.entries(selection).map(([key, value]) => `${key}=${value}`)
        const spec = `${kind}:${path}${query.length > 0 ? `?${query.join('&')}` : ''}`
        expect(parseDataSpec(spec)).toEqual({ kind, path, split: null, selection })
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('refuses any other string with a DataSpecError that shows it, never with another error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `glyphs?${text}`),
        ),
        (text) => {
          try {
            parseDataSpec(text)
          } catch (error) {
            expect(error).toBeInstanceOf(DataSpecError)
            expect(SluiceError.isInstance(error) && error.code).toBe('invalid-argument')
            expect(String(error)).toContain(text)
          }
        },
      ),
      { seed: 1, numRuns: 500 },
    )
  })

  test('keeps colons, commas and question marks of a path', () => {
    expect(parseDataSpec('npy:C:\\data\\a.npy,b.npy').path).toBe('C:\\data\\a.npy,b.npy')
    expect(parseDataSpec('images:what?/photos?limit=2').path).toBe('what?/photos')
  })

  test.each([
    ['', "'' is no kind of data; use one of cifar10"],
    ['imagenet:x', "'imagenet' is no kind of data"],
    ['toString:x', "'toString' is no kind of data"],
    ['cifar10', 'cifar10 needs a path; write cifar10:PATH'],
    ['cifar10:', 'cifar10 needs a path'],
    ['glyphs:x', 'glyphs takes no path'],
    ['glyphs?', "'' is not known"],
    ['glyphs?size=3', "'size=3' is not known; use split=, limit=, skip= or shuffle="],
    ['glyphs?split=validation', 'split=validation is not known; use split=train or split=test'],
    ['glyphs?limit=0', 'limit=0 is not a whole number from 1'],
    ['glyphs?limit=-1', 'limit=-1 is not a whole number'],
    ['glyphs?limit=1e3', 'limit=1e3 is not a whole number'],
    ['glyphs?skip', 'skip= is not a whole number from 0'],
    ['glyphs?shuffle=4294967296', 'shuffle=4294967296 is not a whole number from 0 to 4294967295'],
    ['glyphs?limit=1&limit=2', 'limit is given twice'],
    ['npy:a.npy?split=test', 'npy has no splits'],
  ])('refuses %j: %s', (spec, message) => {
    expect(() => parseDataSpec(spec)).toThrow(message)
  })
})
