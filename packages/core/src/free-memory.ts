/** Below this, memory is recycled without page faults anyway. */
const worthwhileBytes = 2 ** 16

let closedPort: MessagePort | undefined

/**
 * Frees an array's memory at once instead of leaving it to the garbage collector, which else runs beside the work (on
 * threads that the engine needs) and hands out fresh pages, whose faults cost more than what is copied into them. The
 * array and all views of its buffer have no elements afterwards. Small arrays are left alone.
 */
export function freeMemory({ buffer }: Float32Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < worthwhileBytes) return
  closedPort ??= createClosedPort()
  // What is sent to a closed port is taken from the sender and dropped.
  closedPort.postMessage(null, [buffer])
}

function createClosedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  return port1
}
