import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { type Cut, findCuts, findCutTensors, selectGateCuts } from './cuts.ts'
import { UnknownOperatorError, UnsupportedGraphError } from './errors.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import { type OnnxModel, readOnnxModel } from './onnx-model.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'
import { createTestNetworks } from './testing/test-networks.ts'

/** Whether an output can be reached from the input along data without passing `blocked`. */
function isReachable(view: GraphView, blocked: string): boolean {
  const reached = new Set(view.inputs)
  for (const node of view.dataNodes) {
    const isFed = view.inputsOf(node).some((tensor) => reached.has(tensor))
    if (isFed) for (const output of node.output) if (output !== blocked) reached.add(output)
  }
  return view.outputs.some((output) => reached.has(output))
}

/** The definition itself: tensors whose removal parts the input from every output. */
function findCutsByRemoval(model: OnnxModel): string[] {
  const view = createGraphView(model)
  const tensors = view.dataNodes.flatMap((node) => node.output).filter((tensor) => !view.outputs.includes(tensor))
  return tensors.filter((tensor) => !isReachable(view, tensor))
}

/** A random network of additions; each node reads one or two of the tensors before it. */
function createRandomNetwork(reads: readonly (readonly [number, number])[]): OnnxModel {
  const network = createNetworkBuilder('random')
  const tensors = [network.input('input', 'float32', ['batch', 2])]
  for (const [a, b] of reads) {
    const [left, right] = [a, b].map((back) => tensors.at(-1 - (back % tensors.length)) as string) as [string, string]
    tensors.push(left === right ? network.relu(left) : network.add(left, right))
  }
  network.node('Neg', [tensors.at(-1) as string], {}, 'result')
  network.output('result', 'float32', ['batch', 2])
  return network.buildModel()
}

describe('findCutTensors', () => {
  test.each(createTestNetworks())('finds the tensors whose removal parts input and outputs: $name', ({ model }) => {
    expect(findCutTensors(model)).toEqual(findCutsByRemoval(model))
    expect(findCutTensors(model).length).toBeGreaterThan(0)
  })

  test('finds them in random networks', () => {
    const reads = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 25 })
    const property = fc.property(reads, (list) => {
      const model = createRandomNetwork(list)
      expect(findCutTensors(model)).toEqual(findCutsByRemoval(model))
    })
    fc.assert(property, { numRuns: 300, seed: 3 })
  })

  test('regards the chosen outputs only', () => {
    const network = createTestNetworks().find(({ name }) => name === 'several outputs')
    if (network === undefined) throw new Error('The test network is missing.')
    const all = findCutTensors(network.model)
    expect(findCutTensors(network.model, { outputs: ['logits'] }).slice(0, all.length)).toEqual(all)
    expect(findCutTensors(network.model, { outputs: ['logits'] }).length).toBeGreaterThan(all.length)
    expect(() => findCutTensors(network.model, { outputs: ['none'] })).toThrow(/'logits'/)
  })

  test('refuses two inputs by name', () => {
    const network = createNetworkBuilder('two inputs')
    const [left, right] = ['left', 'right'].map((name) => network.input(name, 'float32', ['batch', 2])) as [
      string,
      string,
    ]
    network.relu(network.add(left, right))
    network.node('Neg', [network.add(left, right)], {}, 'sum')
    network.output('sum', 'float32', ['batch', 2])
    expect(() => findCutTensors(network.buildModel())).toThrow(/2 inputs \('left', 'right'\)/)
    expect(() => findCutTensors(network.buildModel())).toThrow(UnsupportedGraphError)
  })

  test('refuses a network without input', () => {
    const network = createNetworkBuilder('constant')
    network.node('Neg', [network.weights([2])], {}, 'result')
    network.output('result', 'float32', [2])
    expect(() => findCutTensors(network.buildModel())).toThrow(/no input/)
  })
})

describe('findCuts', () => {
  test('leaves out tensors whose rows are not samples', () => {
    const network = createNetworkBuilder('transposed')
    const swapped = network.node('Transpose', [network.input('input', 'float32', ['batch', 3, 2])], { perm: [1, 0, 2] })
    const back = network.node('Transpose', [network.relu(swapped)], { perm: [1, 0, 2] })
    network.node('Neg', [back], {}, 'result')
    network.output('result', 'float32', ['batch', 3, 2])
    expect(findCutTensors(network.buildModel())).toHaveLength(3)
    expect(findCuts(network.buildModel()).map(({ tensor }) => tensor)).toEqual([back])
  })

  test('counts the MACs up to each cut', () => {
    const network = createNetworkBuilder('two layers')
    const hidden = network.dense(network.input('input', 'float32', ['batch', 6]), 6, 5)
    network.dense(hidden, 5, 2, 'logits')
    network.output('logits', 'float32', ['batch', 2])
    expect(findCuts(network.buildModel())).toEqual([
      { tensor: hidden, type: 'float32', shape: [5], macs: 30, share: 0.75 },
    ])
  })

  test('takes the input shape where the model leaves it open', () => {
    const network = createNetworkBuilder('open')
    const map = network.convolution(network.input('input', 'float32', ['batch', 3, 'height', 'width']), 3, 4)
    network.classifier(network.relu(map), 4)
    const [first] = findCuts(network.buildModel(), { inputShape: [1, 3, 6, 10] })
    expect(first).toMatchObject({ shape: [4, 6, 10], macs: 4 * 3 * 9 * 60 })
  })

  test('names the operator whose cost is unknown', () => {
    const network = createNetworkBuilder('unknown')
    const hidden = network.relu(network.input('input', 'float32', ['batch', 6]))
    network.dense(hidden, 6, 2, 'logits')
    network.output('logits', 'float32', ['batch', 2])
    const model = network.buildModel()
    Object.assign(model.graph.node[0] ?? {}, { opType: 'Mystery', domain: 'example' })
    expect(() => findCuts(model)).toThrow(UnknownOperatorError)
    expect(findCutTensors(model)).toEqual([hidden])
  })
})

describe('selectGateCuts', () => {
  const cut = (tensor: string, macs: number, shape: number[], type: Cut['type'] = 'float32'): Cut => {
    return { tensor, type, shape, macs, share: macs / 100 }
  }

  test('keeps the last of equally expensive cuts, before global pooling', () => {
    const cuts = [
      cut('convolution', 20, [8, 16, 16]),
      cut('relu', 20, [8, 16, 16]),
      cut('max pool', 20, [8, 8, 8]),
      cut('add', 90, [8, 4, 4]),
      cut('activation', 90, [8, 4, 4]),
      cut('global pool', 90, [8, 1, 1]),
      cut('flat', 90, [8]),
    ]
    expect(selectGateCuts(cuts).map(({ tensor }) => tensor)).toEqual(['max pool', 'activation'])
  })

  test('knows global pooling where channels stand last', () => {
    const cuts = [cut('map', 90, [4, 4, 8]), cut('global pool', 90, [1, 1, 8])]
    expect(selectGateCuts(cuts).map(({ tensor }) => tensor)).toEqual(['map'])
  })

  test('stays before padding', () => {
    const cuts = [cut('relu', 20, [8, 14, 14]), cut('padded', 20, [8, 16, 16]), cut('convolution', 40, [8, 7, 7])]
    expect(selectGateCuts(cuts).map(({ tensor }) => tensor)).toEqual(['relu', 'convolution'])
  })

  test('drops cuts that cost nothing or all, and what heads cannot pool', () => {
    const cuts = [
      cut('normalised', 0, [3, 8, 8]),
      cut('integers', 10, [3, 8, 8], 'int64'),
      cut('video', 20, [3, 4, 8, 8]),
      cut('map', 30, [3, 8, 8]),
      cut('softmax', 100, [10]),
    ]
    expect(selectGateCuts(cuts).map(({ tensor }) => tensor)).toEqual(['map'])
  })
})

describeWithShared('cuts of networks as exporters write them', (folder) => {
  const read = (...path: string[]) => readOnnxModel(readFileSync(join(folder, ...path)))

  test.each([
    ['resnet20.onnx', 9],
    ['resnet20.dynamo.onnx', 9],
    ['resnet56.onnx', 27],
  ])('the stem and every block of %s can carry a gate', (file, blocks) => {
    const gates = selectGateCuts(findCuts(read('models', file)))
    expect(gates).toHaveLength(blocks + 1)
    expect(gates.map(({ shape }) => shape[0])).toEqual([16, ...[16, 32, 64].flatMap((c) => Array(blocks / 3).fill(c))])
  })

  test.each([
    ['resnet18.onnx', 8],
    ['resnet50.onnx', 16],
    ['resnet101.onnx', 33],
  ])('every block output of %s is a cut', (file, blocks) => {
    const model = read('skeletons', file)
    const additions = model.graph.node.filter(({ opType }) => opType === 'Add').flatMap(({ output }) => output)
    expect(additions).toHaveLength(blocks)
    expect(findCuts(model).map(({ tensor }) => tensor)).toEqual(expect.arrayContaining(additions))
  })

  test('the stages of ResNet-101 end at the known shares', () => {
    const cuts = selectGateCuts(findCuts(read('skeletons', 'resnet101.onnx')))
    const stageEnds = cuts.filter(({ shape }, i) => i > 0 && cuts[i + 1]?.shape[0] !== shape[0])
    expect(stageEnds.slice(0, 3).map(({ share }) => Number((100 * share).toFixed(1)))).toEqual([10.1, 23.2, 89.6])
  })

  test('every half block of ViT-B/16 is a cut', () => {
    const cuts = selectGateCuts(findCuts(read('skeletons', 'vit_b_16.onnx')))
    expect(cuts.filter(({ shape }) => shape[0] === 197 && shape[1] === 768)).toHaveLength(24)
  })
})
