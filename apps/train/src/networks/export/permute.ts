/**
 * Values of shape `dims` in another order of dimensions: dimension `d` of the result is dimension `permutation[d]` of the
 * input, as in NumPy's `transpose`. Row major; the result is new.
 */
export function permute(values: Float32Array, dims: readonly number[], permutation: readonly number[]): Float32Array {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1))
  const permutedDims = permutation.map((axis) => dims[axis] ?? 1)
  const permutedStrides = permutation.map((axis) => strides[axis] ?? 0)
  const position = permutation.map(() => 0)
  let source = 0
  return values.map(() => {
    const value = values[source] ?? 0
    for (let axis = position.length - 1; axis >= 0; axis--) {
      const stride = permutedStrides[axis] ?? 0
      const next = (position[axis] ?? 0) + 1
      source += stride
      if (next < (permutedDims[axis] ?? 1)) {
        position[axis] = next
        break
      }
      source -= next * stride
      position[axis] = 0
    }
    return value
  })
}
