/**
 * A 3x3 convolution with stride 2 and zero padding of 1 over a map of the given size. What it yields has half the rows and
 * columns, rounded up.
 */
export interface HeadConvolution {
  readonly height: number
  readonly width: number
}

/**
 * One affine layer, `x * weights + bias`, and what follows it. A convolution is one, too: it does to each window of a map
 * what a layer does to a row.
 */
export interface HeadLayer {
  /** Values of a row; of a convolution those of a window, `9 * channels`. */
  readonly inputs: number
  /** Values that a row yields; of a convolution its channels. */
  readonly outputs: number
  /** Makes the layer a convolution. Convolutions stand in front of all other layers. */
  readonly convolution?: HeadConvolution | undefined
  /** Applied to what the layer yields; 'none' in the last layer, which yields the class scores. */
  readonly activation: 'relu' | 'none'
  /**
   * `[inputs, outputs]`, row major; the inputs of a convolution are `[row, column, channel]` of the window, those of the
   * layer behind the last convolution `[row, column, channel]` of the map that it yields.
   */
  readonly weights: Float32Array
  /** `[outputs]` */
  readonly bias: Float32Array
}

/** A layer without its parameters. */
export type HeadLayerShape = Omit<HeadLayer, 'weights' | 'bias'>
