import { expect, it } from 'vitest'
import { InvalidArgumentError, ShapeMismatchError, SluiceError } from './errors.ts'

it('recognises errors of another copy of the package by their marker', () => {
  const foreign = Object.assign(new Error('from another copy'), { [Symbol.for('sluice.error')]: true })
  expect(foreign).not.toBeInstanceOf(SluiceError)
  expect(SluiceError.isInstance(foreign)).toBe(true)
  expect(SluiceError.isInstance(new InvalidArgumentError('bad'))).toBe(true)
  expect(SluiceError.isInstance(new Error('bad'))).toBe(false)
  expect(SluiceError.isInstance(null)).toBe(false)
})

it('carries the name of the subclass, a code, the value and what to do', () => {
  const error = new ShapeMismatchError('The batch', [2, 5], ['rows', 4])
  expect(error.name).toBe('ShapeMismatchError')
  expect(error.code).toBe('shape-mismatch')
  expect(error.message).toBe('The batch has shape [2, 5]; pass [rows, 4] instead.')
})
