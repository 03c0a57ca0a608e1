import { InvalidArgumentError } from '@sluice/core'

/** Turns an option's text into its value. @throws InvalidArgumentError naming the option and what it takes */
export type OptionParser<T> = (text: string) => T

/** A parser of whole numbers of at least `lowest`. */
export function parseCount(name: string, lowest: number): OptionParser<number> {
  return (text) => {
    const value = toCount(text)
    if (value >= lowest) return value
    throw new InvalidArgumentError(`${name} ${text} is not a whole number from ${lowest} on.`)
  }
}

/** A parser of numbers in `lowest..highest`. */
export function parseNumber(name: string, lowest: number, highest: number): OptionParser<number> {
  return (text) => {
    const value = toNumber(text)
    if (value >= lowest && value <= highest) return value
    throw new InvalidArgumentError(`${name} ${text} is not a number from ${lowest} to ${highest}.`)
  }
}

/** A parser of numbers separated by commas. */
export function parseNumberList(name: string): OptionParser<readonly number[]> {
  return (text) => {
    const values = text.split(',').map(toNumber)
    if (values.every(Number.isFinite)) return values
    throw new InvalidArgumentError(`${name} ${text} is not a list of numbers such as 0.485,0.456,0.406.`)
  }
}

/** A parser of whole numbers from 1 on, separated by commas. */
export function parseCountList(name: string): OptionParser<readonly number[]> {
  return (text) => {
    const values = text.split(',').map(toCount)
    if (values.every((value) => value >= 1)) return values
    throw new InvalidArgumentError(`${name} ${text} is not a list of whole numbers from 1 on, such as 1,16,64.`)
  }
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

function toCount(text: string): number {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : Number.NaN
}
