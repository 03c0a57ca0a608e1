import type { Tensor } from 'onnxruntime-common'

/** Below this, memory is recycled without page faults anyway. */
const worthwhileBytes = 2 ** 16

let closedPort: MessagePort | undefined

/**
 * Frees the copy that onnxruntime-node (1.30 and before) makes of an output although it was written to `reserved`.
 * Left to the garbage collector, the next run's copy is made in fresh pages, whose faults cost ten times the copy: 3.3
 * instead of 0.35 ms for a batch of 64 x 16 x 32 x 32 on a virtual machine. A buffer transferred to a closed port is
 * freed at once. Does nothing where the engine returned `reserved` itself.
 */
export function freeCopy(returned: Tensor | undefined, reserved: Tensor): void {
  const { buffer } = (returned ?? reserved).data as Float32Array
  if (buffer === (reserved.data as Float32Array).buffer || buffer.byteLength < worthwhileBytes) return
  closedPort ??= createClosedPort()
  closedPort.postMessage(null, [buffer as ArrayBuffer])
}

function createClosedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  return port1
}
