import type { Tensor } from 'onnxruntime-common'

/** A holder's claim on a piece of memory, which lives until the last holder has released it. */
export interface ActivationBlock {
  readonly tensor: Tensor
  /** One more holder of the same memory, seen through `tensor` or another tensor over it. */
  share(tensor?: Tensor): ActivationBlock
  /** Ends this claim; a second call does nothing. */
  release(): void
}

/** The first claim on the memory behind `tensor`; `free` runs once, after the last release. */
export function createActivationBlock(tensor: Tensor, free: () => void): ActivationBlock {
  let holders = 0
  const hold = (held: Tensor): ActivationBlock => {
    holders++
    let released = false
    return {
      tensor: held,
      share: (other = held) => hold(other),
      release() {
        if (released) return
        released = true
        holders--
        if (holders === 0) free()
      },
    }
  }
  return hold(tensor)
}
