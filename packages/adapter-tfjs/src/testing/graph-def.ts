import { concatenateBytes } from './bytes.ts'
import type { SavedModel } from './saved-model.ts'

type Attributes = Readonly<Record<string, object>>

/** Attribute values as GraphDef's JSON has them. */
export const attribute = {
  bool: (b: boolean) => ({ b }),
  float: (f: number) => ({ f }),
  text: (s: string) => ({ s: btoa(s) }),
  texts: (list: readonly string[]) => ({ list: { s: list.map((s) => btoa(s)) } }),
  integers: (list: readonly number[]) => ({ list: { i: list.map(String) } }),
}

/** Writes a graph model node by node, as tensorflowjs_converter would. Each method returns the node's name. */
export function createGraphDef() {
  const nodes: object[] = []
  const weights: { name: string; shape: readonly number[]; dtype: string; bytes: Uint8Array }[] = []
  return {
    input(name: string, rowShape: readonly (number | null)[]): string {
      const dim = [null, ...rowShape].map((size) => ({ size: String(size ?? -1) }))
      nodes.push({ name, op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } } })
      return name
    },
    constant(name: string, shape: readonly number[], data: Float32Array | Int32Array): string {
      const isFloat = data instanceof Float32Array
      nodes.push({ name, op: 'Const', attr: { dtype: { type: isFloat ? 'DT_FLOAT' : 'DT_INT32' } } })
      weights.push({ name, shape, dtype: isFloat ? 'float32' : 'int32', bytes: new Uint8Array(data.buffer.slice(0)) })
      return name
    },
    node(op: string, name: string, input: readonly string[], attr: Attributes = {}): string {
      nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } })
      return name
    },
    /** The model with all weights in one group, cut into shards of at most `shardBytes`. */
    save(shardBytes = 4096): SavedModel {
      const bytes = concatenateBytes(weights.map((weight) => weight.bytes))
      const count = Math.max(1, Math.ceil(bytes.length / shardBytes))
      const shards = Array.from({ length: count }, (_, index) => {
        const path = `group1-shard${index + 1}of${count}.bin`
        return [path, bytes.slice(index * shardBytes, (index + 1) * shardBytes)] as const
      })
      const manifest = { paths: shards.map(([path]) => path), weights: weights.map(({ bytes: _, ...entry }) => entry) }
      const modelTopology = { node: nodes, versions: { producer: 440 } }
      const json = { format: 'graph-model', modelTopology, weightsManifest: [manifest] }
      return { json: new TextEncoder().encode(JSON.stringify(json)), shards: Object.fromEntries(shards) }
    },
  }
}
