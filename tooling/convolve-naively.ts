/**
 * A 3x3 convolution with stride 2 and zero padding of 1, from its definition, in double precision.
 *
 * @param map `[row, column, channel]` of the given size
 * @param weights `[row, column, channel, output]` of a window
 * @returns `[row, column, output]`
 */
export function convolveNaively(
  map: readonly number[],
  { height, width }: { readonly height: number; readonly width: number },
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
): number[] {
  const channels = map.length / (height * width)
  const outputs = bias.length
  const convolved: number[] = []
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let output = 0; output < outputs; output++) {
        let sum = bias[output] as number
        for (let place = 0; place < 9; place++) {
          const [row, column] = [y + Math.floor(place / 3) - 1, x + (place % 3) - 1]
          if (row < 0 || column < 0 || row >= height || column >= width) continue
          for (let channel = 0; channel < channels; channel++) {
            const value = map[(row * width + column) * channels + channel] as number
            sum += value * (weights[(place * channels + channel) * outputs + output] as number)
          }
        }
        convolved.push(sum)
      }
    }
  }
  return convolved
}
