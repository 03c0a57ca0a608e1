import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom } from '@sluice/datasets'
import sharp from 'sharp'

const classes = ['n0', 'n1', 'n2', 'n3']
const size = 256

/** How many classes the fake images have. */
export const fakeClassCount = classes.length

/**
 * Writes a folder laid out as ImageNet's (`train` and `val` with a folder per class) of noise that is tinted by class.
 * Does nothing where the folder exists.
 */
export async function writeFakeImagenet(folder: string, imagesPerSplit: number): Promise<void> {
  if (existsSync(folder)) return
  for (const [splitIndex, split] of ['train', 'val'].entries()) {
    for (let image = 0; image < imagesPerSplit; image++) {
      const label = image % classes.length
      const target = join(folder, split, classes[label] ?? '')
      await mkdir(target, { recursive: true })
      await writeFile(join(target, `${image}.jpg`), await drawNoise(label, splitIndex * imagesPerSplit + image))
    }
  }
}

function drawNoise(label: number, stream: number): Promise<Buffer> {
  const random = createRandom(0, stream)
  const channelOf = [0, 1, 2]
  const small = Uint8Array.from({ length: 16 * 16 * 3 }, (_, index) => {
    const tint = channelOf[index % 3] === label ? 60 : 0
    return Math.min(255, random.below(196) + tint)
  })
  return sharp(small, { raw: { width: 16, height: 16, channels: 3 } })
    .resize(size, size)
    .jpeg()
    .toBuffer()
}
