import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { createActivationBlock } from './activation-block.ts'
import type { ActivationStore } from './activation-store.ts'
import type { SessionFactory } from './session-factory.ts'

/**
 * Activations in WebGPU buffers that stay on the device between stages. Rows are selected there by a one-node graph.
 *
 * @param scoresLocation where class scores and pooled features are left until they are read; onnxruntime-node cannot
 * download a buffer later (it ends the process), so there they come back with the run
 */
export function createGpuStore(sessions: SessionFactory, scoresLocation: 'cpu' | 'gpu-buffer'): ActivationStore {
  const { Tensor } = sessions.runtime
  const live = new Set<Tensor>()
  const gathers = new Map<number, InferenceSession>()

  const adopt = (tensor: Tensor) => {
    live.add(tensor)
    return createActivationBlock(tensor, () => {
      // Freed with the model: disposing a tensor of a released session ends the process in onnxruntime-node.
      if (live.delete(tensor)) tensor.dispose()
    })
  }
  const gatherOf = async (rank: number) => {
    const known = gathers.get(rank)
    if (known !== undefined) return known
    const options = { preferredOutputLocation: 'gpu-buffer' } as const
    const created = await sessions.create(createGatherModel(rank), 'The row selection', options)
    gathers.set(rank, created)
    return created
  }
  return {
    locateOutputs: ({ output, scores, features }) => ({
      preferredOutputLocation: {
        ...(output === null ? {} : { [output]: 'gpu-buffer' }),
        [scores]: scoresLocation,
        ...(features === undefined ? {} : { [features.output]: scoresLocation }),
      },
    }),
    // The first stage's run uploads it.
    upload: (data, dims) => adopt(new Tensor('float32', data, dims)),
    reserve: () => null,
    adopt,
    async select(block, rows) {
      const { dims } = block.tensor
      if (rows.length === dims[0] && rows.every((row, position) => row === position)) return block.share()
      const gather = await gatherOf(dims.length)
      const indices = new Tensor('int32', Int32Array.from(rows), [rows.length])
      const { selected } = await sessions.run(gather, 'The row selection', { activation: block.tensor, rows: indices })
      return adopt(selected as Tensor)
    },
    async release() {
      for (const tensor of live) tensor.dispose()
      live.clear()
      for (const gather of gathers.values()) await gather.release()
    },
  }
}

function createGatherModel(rank: number): Uint8Array {
  const builder = createGraphBuilder({ name: 'select-rows' })
  const rowDims = Array.from({ length: rank - 1 }, (_, axis) => `size${axis}`)
  builder.input('activation', 'float32', ['rows', ...rowDims])
  builder.input('rows', 'int32', ['selected'])
  builder.node('Gather', ['activation', 'rows'], { axis: 0 }, 'selected')
  builder.output('selected', 'float32', ['selected', ...rowDims])
  return writeOnnxModel(builder.buildModel())
}
