/** Notes in a difference array that `amount` counts from index `first` up to but not at `end`. */
export function addRange(differences: Int32Array, first: number, end: number, amount: number): void {
  differences[first] = (differences[first] as number) + amount
  differences[end] = (differences[end] as number) - amount
}

/** Turns a difference array of `steps + 1` values into what counts at each step, in place; `[steps]`. */
export function accumulate(differences: Int32Array): Int32Array {
  const steps = differences.length - 1
  for (let step = 1; step < steps; step++) {
    differences[step] = (differences[step] as number) + (differences[step - 1] as number)
  }
  return differences.subarray(0, steps)
}
