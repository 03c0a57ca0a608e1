/** Class scores of a group of rows in host memory: `data` is `[rows, classCount]`, row major, higher = likelier class. */
export interface ClassScores {
  readonly data: Float32Array
  readonly rows: number
  readonly classCount: number
}

/** The class of every row: the index of its highest score, the lowest index on ties. Scores must be finite. */
export function argmaxRows({ data, rows, classCount }: ClassScores): Int32Array {
  const classes = new Int32Array(rows)
  for (let row = 0, offset = 0; row < rows; row++, offset += classCount) {
    let best = 0
    for (let c = 1; c < classCount; c++) {
      if ((data[offset + c] as number) > (data[offset + best] as number)) best = c
    }
    classes[row] = best
  }
  return classes
}
