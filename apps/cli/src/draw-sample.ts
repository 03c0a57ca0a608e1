import sharp from 'sharp'

/**
 * A PNG of a sample as a data URI.
 * @param pixels `[channels, height, width]`, 0..1, one or three channels
 */
export async function drawSample(pixels: Float32Array, [channels = 1, height = 1, width = 1]: readonly number[]) {
  const bytes = new Uint8Array(pixels.length)
  const plane = height * width
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) {
      bytes[i * channels + channel] = Math.round(255 * Math.min(1, Math.max(0, pixels[channel * plane + i] ?? 0)))
    }
  }
  const png = await sharp(bytes, { raw: { width, height, channels: channels === 1 ? 1 : 3 } })
    .png()
    .toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
