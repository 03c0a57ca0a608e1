/** Runs tasks one after the other, in the order of the calls. A task that fails does not stop the next. */
export type ExclusiveQueue = <T>(task: () => Promise<T>) => Promise<T>

const queues = /* @__PURE__ */ new WeakMap<object, ExclusiveQueue>()

/**
 * The one queue of an engine. The WebAssembly build aborts when a second run starts while one awaits the GPU, whatever
 * the session; and a session must not be released under a run.
 */
export function exclusiveQueueOf(engine: object): ExclusiveQueue {
  let queue = queues.get(engine)
  if (queue === undefined) {
    queue = createExclusiveQueue()
    queues.set(engine, queue)
  }
  return queue
}

function createExclusiveQueue(): ExclusiveQueue {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined)
    return result
  }
}
