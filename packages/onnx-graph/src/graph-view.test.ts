import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { UnsupportedGraphError } from './errors.ts'
import { NodeProtoSchema } from './generated/onnx_pb.ts'
import { createGraphBuilder, createValueInfo } from './graph-builder.ts'
import { createGraphView } from './graph-view.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'

function createMixedNetwork() {
  const network = createNetworkBuilder('mixed')
  const input = network.input('input', 'float32', ['batch', 6])
  const constant = network.node('Abs', [network.weights([6])])
  const measured = network.node('Neg', [input])
  const shape = network.node('Abs', [network.node('Shape', [measured])])
  const scaled = network.node('Mul', [input, constant])
  const dead = network.relu(scaled)
  network.node('Reshape', [scaled, shape], {}, 'result')
  network.output('result', 'float32', ['batch', 6])
  return { model: network.buildModel(), constant, measured, shape, scaled, dead }
}

describe('a graph view', () => {
  test('tells data, shapes and constants apart', () => {
    const { model, constant, measured, shape, scaled } = createMixedNetwork()
    const { kindOf } = createGraphView(model)
    expect([constant, measured, shape, scaled, 'result'].map(kindOf)).toEqual([
      'constant',
      'data',
      'shape',
      'data',
      'data',
    ])
    expect(() => kindOf('none')).toThrow(UnsupportedGraphError)
  })

  test('sets dead nodes aside, and those of which only the shape is used', () => {
    const { model, dead } = createMixedNetwork()
    const view = createGraphView(model)
    expect(view.liveNodes.flatMap(({ output }) => output)).not.toContain(dead)
    expect(view.liveNodes.map(({ opType }) => opType)).toEqual(['Abs', 'Neg', 'Shape', 'Abs', 'Mul', 'Reshape'])
    expect(view.dataNodes.map(({ opType }) => opType)).toEqual(['Mul', 'Reshape'])
  })

  test('does not count initialisers that old files list as inputs', () => {
    const { model } = createMixedNetwork()
    const [weight] = model.graph.initializer
    model.graph.input.push(createValueInfo(weight?.name ?? '', 'float32', [6]))
    expect(createGraphView(model).inputs).toEqual(['input'])
  })

  test('counts what subgraphs capture as inputs of their node', () => {
    const inner = createGraphBuilder({ name: 'then', prefix: 'inner/' })
    const local = inner.node('Neg', ['outer'])
    inner.output(inner.node('Add', [local, 'weight']), 'float32', ['batch', 6])
    const network = createGraphBuilder({ name: 'branching' })
    network.input('input', 'float32', ['batch', 6])
    network.initializer('weight', { type: 'float32', dims: [6], data: new Float32Array(6) })
    network.initializer('flag', { type: 'bool', dims: [], data: Uint8Array.of(1) })
    network.node('Neg', ['input'], {}, 'outer')
    const branches = { then_branch: inner.buildGraph(), else_branch: inner.buildGraph() }
    network.output(network.node('If', ['flag'], branches, 'result'), 'float32', ['batch', 6])
    const view = createGraphView(network.buildModel())
    const [, branch] = view.liveNodes
    expect(branch && view.inputsOf(branch)).toEqual(['flag', 'outer', 'weight'])
    expect(view.kindOf('result')).toBe('data')
  })
})

describe('createGraphView refuses', () => {
  test('a node that reads what only a later node yields', () => {
    const { model } = createMixedNetwork()
    model.graph.node.reverse()
    expect(() => createGraphView(model)).toThrow(/no input, initialiser or earlier node yields/)
  })

  test('a cycle', () => {
    const { model, scaled } = createMixedNetwork()
    const nodes = [
      { opType: 'Add', input: [scaled, 'b'], output: ['a'] },
      { opType: 'Neg', input: ['a'], output: ['b'] },
    ]
    model.graph.node.push(...nodes.map((node) => create(NodeProtoSchema, node)))
    expect(() => createGraphView(model)).toThrow(/'b'.*cycles/)
  })

  test('two nodes that yield the same tensor', () => {
    const { model, scaled } = createMixedNetwork()
    model.graph.node.push(create(NodeProtoSchema, { opType: 'Neg', input: ['input'], output: [scaled] }))
    expect(() => createGraphView(model)).toThrow(/Two nodes yield/)
  })
})
