import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { InvalidArgumentError } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import {
  DataDependentShapeError,
  ExternalDataError,
  ShapeInferenceError,
  UnknownOperatorError,
  UnsupportedGraphError,
} from './errors.ts'
import { TensorProto_DataLocation, TensorProtoSchema } from './generated/onnx_pb.ts'
import { createGraphBuilder, type Dimension, type GraphBuilder } from './graph-builder.ts'
import { declaredShape } from './input-shapes.ts'
import { type ExternalDataReader, type OnnxModel, readOnnxModel } from './onnx-model.ts'
import { inferShapes } from './shape-inference.ts'

function build(define: (builder: GraphBuilder) => string, opset = 17): OnnxModel {
  const builder = createGraphBuilder({ name: 'test', opset })
  builder.output(define(builder), 'float32', [])
  return builder.buildModel()
}

function float(builder: GraphBuilder, name: string, ...dims: Dimension[]): string {
  return builder.input(name, 'float32', dims)
}

function integers(builder: GraphBuilder, ...values: number[]): string {
  return builder.node('Constant', [], { value_ints: values })
}

/** What becomes of the graph's output at batch 2. */
function inferOutput(model: OnnxModel, inputShape?: readonly number[]) {
  const { tensors, failures } = inferShapes(model, { batch: 2, ...(inputShape && { inputShape }) })
  const name = model.graph.output[0]?.name ?? ''
  return tensors.get(name)?.dims ?? failures.get(name)
}

function countMacs(model: OnnxModel): number {
  return [...inferShapes(model, { batch: 2 }).nodeMacs.values()].reduce((sum, macs) => sum + macs, 0)
}

describe('multiply-accumulates', () => {
  const counted = [
    ['a convolution', (b) => b.node('Conv', [float(b, 'x', 'n', 3, 8, 8), float(b, 'w', 4, 3, 3, 3)]), 2 * 4 * 36 * 27],
    [
      'a grouped, strided, dilated convolution',
      (b) =>
        b.node('Conv', [float(b, 'x', 'n', 4, 9, 9), float(b, 'w', 6, 2, 3, 3)], {
          group: 2,
          strides: [2, 2],
          dilations: [2, 2],
        }),
      2 * 6 * 9 * 18,
    ],
    [
      'a depthwise convolution',
      (b) => b.node('Conv', [float(b, 'x', 'n', 8, 4, 4), float(b, 'w', 8, 1, 3, 3)], { group: 8, pads: [1, 1, 1, 1] }),
      2 * 8 * 16 * 9,
    ],
    [
      'a transposed convolution',
      (b) => b.node('ConvTranspose', [float(b, 'x', 'n', 4, 5, 5), float(b, 'w', 4, 3, 2, 2)], { strides: [2, 2] }),
      2 * 4 * 25 * 3 * 4,
    ],
    [
      'a dense layer',
      (b) => b.node('Gemm', [float(b, 'x', 'n', 8), float(b, 'w', 5, 8), float(b, 'c', 5)], { transB: 1 }),
      2 * 5 * 8,
    ],
    [
      'a transposed dense layer',
      (b) => b.node('Gemm', [float(b, 'x', 8, 3), float(b, 'w', 8, 5)], { transA: 1 }),
      3 * 5 * 8,
    ],
    [
      'an attention product',
      (b) => b.node('MatMul', [float(b, 'q', 'n', 4, 6, 8), float(b, 'k', 'n', 4, 8, 6)]),
      2 * 4 * 36 * 8,
    ],
    ['a product with a vector', (b) => b.node('MatMul', [float(b, 'x', 'n', 6, 8), float(b, 'v', 8)]), 2 * 6 * 8],
    [
      'an Einstein sum',
      (b) => b.node('Einsum', [float(b, 'q', 'n', 6, 8), float(b, 'k', 'n', 5, 8)], { equation: 'nqd,nkd->nqk' }),
      2 * 6 * 5 * 8,
    ],
    ['an activation', (b) => b.node('Relu', [float(b, 'x', 'n', 8)]), 0],
    ['pooling', (b) => b.node('MaxPool', [float(b, 'x', 'n', 1, 8, 8)], { kernel_shape: [2, 2] }), 0],
    ['an addition', (b) => b.node('Add', [float(b, 'x', 'n', 8), float(b, 'y', 'n', 8)]), 0],
  ] as const satisfies readonly (readonly [string, (builder: GraphBuilder) => string, number])[]

  test.each(counted)('of %s, for the whole batch', (_, define, macs) => {
    expect(countMacs(build(define))).toBe(macs)
  })

  test('computed from weights alone are not counted', () => {
    const model = build((builder) => {
      const weight = builder.initializer('w', { type: 'float32', dims: [4, 4], data: new Float32Array(16) })
      const square = builder.node('MatMul', [weight, builder.node('Transpose', [weight])])
      return builder.node('MatMul', [float(builder, 'x', 'n', 4), square])
    })
    expect(countMacs(model)).toBe(2 * 4 * 4)
  })
})

describe('what cannot be inferred', () => {
  test('an operator without a rule loses its outputs and those behind, and nothing else', () => {
    const model = build((builder) => {
      const input = float(builder, 'x', 'n', 3)
      builder.node('Relu', [input], {}, 'known')
      return builder.node('Neg', [builder.node('Frobnicate', [input], {}, 'lost')])
    })
    const { tensors, failures, nodeMacs } = inferShapes(model, { batch: 2 })
    expect([...tensors.keys()]).toEqual(['x', 'known'])
    expect(nodeMacs.size).toBe(1)
    expect(failures.get('lost')).toBeInstanceOf(UnknownOperatorError)
    expect(failures.get(model.graph.output[0]?.name ?? '')).toBe(failures.get('lost'))
  })

  test('an operator of another domain is another operator', () => {
    const model = build((builder) => builder.node('Relu', [float(builder, 'x', 'n', 3)]))
    for (const node of model.graph.node) node.domain = 'com.example'
    expect(inferOutput(model)).toBeInstanceOf(UnknownOperatorError)
    expect(String(inferOutput(model))).toContain('com.example.Relu')
  })

  const contradictions = [
    ['channels', (b) => b.node('Conv', [float(b, 'x', 'n', 3, 8, 8), float(b, 'w', 4, 2, 3, 3)])],
    ['a kernel larger than the map', (b) => b.node('Conv', [float(b, 'x', 'n', 3, 2, 2), float(b, 'w', 4, 3, 3, 3)])],
    [
      'a stride of 0',
      (b) => b.node('MaxPool', [float(b, 'x', 'n', 3, 8, 8)], { kernel_shape: [2, 2], strides: [0, 1] }),
    ],
    [
      'too few strides',
      (b) => b.node('MaxPool', [float(b, 'x', 'n', 3, 8, 8)], { kernel_shape: [2, 2], strides: [1] }),
    ],
    ['too few dimensions', (b) => b.node('Conv', [float(b, 'x', 'n'), float(b, 'w', 4, 2, 3, 3)])],
    ['inner sizes', (b) => b.node('MatMul', [float(b, 'x', 'n', 3), float(b, 'w', 4, 5)])],
    ['a scalar matrix', (b) => b.node('MatMul', [float(b, 'x', 'n', 3), float(b, 'w')])],
    ['a stack of matrices', (b) => b.node('Gemm', [float(b, 'x', 'n', 3, 4), float(b, 'w', 4, 5)])],
    ['sizes that do not broadcast', (b) => b.node('Add', [float(b, 'x', 'n', 3), float(b, 'y', 4)])],
    ['an axis', (b) => b.node('Softmax', [b.node('Concat', [float(b, 'x', 'n', 3)], { axis: 2 })])],
    ['sizes beside the axis', (b) => b.node('Concat', [float(b, 'x', 'n', 3), float(b, 'y', 'n', 4, 5)], { axis: 0 })],
    ['parts', (b) => b.node('Split', [float(b, 'x', 'n', 3), integers(b, 1, 1)], { axis: 1 })],
    ['elements', (b) => b.node('Reshape', [float(b, 'x', 'n', 3), integers(b, 5, -1)])],
    ['two sizes left open', (b) => b.node('Reshape', [float(b, 'x', 'n', 3), integers(b, -1, -1)])],
    ['a permutation', (b) => b.node('Transpose', [float(b, 'x', 'n', 3)], { perm: [0, 0] })],
    ['pads', (b) => b.node('Pad', [float(b, 'x', 'n', 3), integers(b, 1, 1)])],
    ['repeats', (b) => b.node('Tile', [float(b, 'x', 'n', 3), integers(b, 1)])],
    [
      'a step of 0',
      (b) => b.node('Slice', [float(b, 'x', 'n', 3), integers(b, 0), integers(b, 1), integers(b, 0), integers(b, 0)]),
    ],
    ['an equation', (b) => b.node('Einsum', [float(b, 'x', 'n', 3)], { equation: 'abc->a' })],
    ['an ellipsis', (b) => b.node('Einsum', [float(b, 'x', 'n', 3)], { equation: '...a->a' })],
    ['outputs', (b) => b.nodes('Relu', [float(b, 'x', 'n', 3)], 2)[1] ?? ''],
    ['a missing input', (b) => b.node('Conv', [float(b, 'x', 'n', 3, 8, 8)])],
    ['an attribute of the wrong kind', (b) => b.node('Concat', [float(b, 'x', 'n', 3)], { axis: 'one' })],
    [
      'an aspect ratio policy',
      (b) =>
        b.node('Resize', [float(b, 'x', 'n', 3), '', '', integers(b, 2, 2)], {
          keep_aspect_ratio_policy: 'not_larger',
        }),
    ],
  ] as const satisfies readonly (readonly [string, (builder: GraphBuilder) => string])[]

  test.each(contradictions)('%s that contradict the inputs are an error of the node', (_, define) => {
    expect(inferOutput(build(define))).toBeInstanceOf(ShapeInferenceError)
  })

  test('a shape that depends on values is an error that names the tensor', () => {
    const model = build((builder) =>
      builder.node('Reshape', [float(builder, 'x', 'n', 3), builder.input('sizes', 'int64', [2])]),
    )
    expect(inferOutput(model)).toBeInstanceOf(DataDependentShapeError)
    expect(String(inferOutput(model))).toContain("'sizes'")
  })

  test('nodes out of order are an error', () => {
    const model = build((builder) => builder.node('Relu', [builder.node('Relu', [float(builder, 'x', 'n')])]))
    model.graph.node.reverse()
    expect(inferOutput(model)).toBeInstanceOf(UnsupportedGraphError)
  })

  test('a shape beyond all numbers is an error', () => {
    const model = build((builder) =>
      builder.node('Expand', [float(builder, 'x', 'n', 1), integers(builder, 2 ** 40, 2, 2 ** 40)]),
    )
    expect(inferOutput(model)).toBeInstanceOf(ShapeInferenceError)
  })

  test('a weight of negative size is an error', () => {
    const model = build((builder) => builder.node('Relu', ['w']))
    model.graph.initializer.push(create(TensorProtoSchema, { name: 'w', dims: [-2n, -3n], dataType: 1 }))
    expect(inferOutput(model)).toBeInstanceOf(UnsupportedGraphError)
  })
})

describe('folding', () => {
  test('large constants are described but not held', () => {
    const model = build((builder) => builder.node('ConstantOfShape', [integers(builder, 2 ** 30, 2)]))
    const { tensors } = inferShapes(model, { batch: 2 })
    expect(tensors.get(model.graph.output[0]?.name ?? '')).toEqual({ type: 'float32', dims: [2 ** 30, 2], value: null })
  })

  test('a division by zero ends it', () => {
    const model = build((builder) =>
      builder.node('Reshape', [
        float(builder, 'x', 'n'),
        builder.node('Div', [integers(builder, 1), integers(builder, 0)]),
      ]),
    )
    expect(inferOutput(model)).toBeInstanceOf(DataDependentShapeError)
  })

  /** A Reshape whose target shape is kept in another file. */
  function createExternalReshape(externalData: ExternalDataReader | null): OnnxModel {
    const model = build((builder) => builder.node('Reshape', [float(builder, 'x', 'n', 6), 'sizes']))
    const sizes = { name: 'sizes', dims: [3n], dataType: 7, dataLocation: TensorProto_DataLocation.EXTERNAL }
    model.graph.initializer.push(
      create(TensorProtoSchema, { ...sizes, externalData: [{ key: 'location', value: 'w.bin' }] }),
    )
    return { ...model, externalData }
  }

  test('small integers in other files are read, and count as unknown where the file is missing', () => {
    const bytes = new Uint8Array(BigInt64Array.of(-1n, 2n, 3n).buffer)
    const missing = () => {
      throw new ExternalDataError('w.bin', 'is missing.')
    }
    expect(inferOutput(createExternalReshape(() => bytes))).toEqual([2, 2, 3])
    expect(inferOutput(createExternalReshape(missing))).toBeInstanceOf(DataDependentShapeError)
    expect(inferOutput(createExternalReshape(null))).toBeInstanceOf(DataDependentShapeError)
  })
})

describe('input shapes', () => {
  const relu = (...dims: Dimension[]) => build((builder) => builder.node('Relu', [float(builder, 'x', ...dims)]))

  test.each([
    ['a symbolic first size is the batch', relu('n', 3), undefined, [2, 3]],
    ['a nameless first size is the batch', relu('', 3), undefined, [2, 3]],
    ['a fixed batch stays', relu(5, 3), undefined, [5, 3]],
    ['a given shape replaces sizes, not the batch', relu('n', 3, 'height'), [9, 4, 7], [2, 4, 7]],
    ['a given shape replaces a fixed batch', relu(5, 3), [9, 3], [9, 3]],
    ['a scalar has none', relu(), undefined, []],
  ])('%s', (_, model, inputShape, expected) => {
    expect(inferOutput(model, inputShape)).toEqual(expected)
  })

  test('sizes of one name are equal in all inputs', () => {
    const model = build((builder) => {
      return builder.node('Add', [float(builder, 'x', 'n', 'tokens', 4), float(builder, 'mask', 'tokens', 1)])
    })
    expect(inferOutput(model, [1, 7, 4])).toEqual([2, 7, 4])
  })

  test('a size that nobody gives is an error of the input', () => {
    expect(inferOutput(relu('n', 3, 'height'))).toBeInstanceOf(InvalidArgumentError)
    expect(String(inferOutput(relu('n', 3, 'height')))).toContain("dimension 2 ('height')")
  })

  test.each([[[1, 3]], [[1, 3, 0]], [[1, 3, 2.5]]])('the shape %j does not fit', (inputShape) => {
    expect(() => inferShapes(relu('n', 3, 'height'), { batch: 2, inputShape })).toThrow(InvalidArgumentError)
  })

  test('old files that declare weights among the inputs have no more inputs for it', () => {
    const model = build((builder) => {
      const weight = builder.initializer('w', { type: 'float32', dims: [3], data: new Float32Array(3) })
      return builder.node('Add', [float(builder, 'x', 'n', 3), float(builder, weight, 'm')])
    })
    expect(inferOutput(model)).toEqual([2, 3])
  })
})

describeWithShared('shape inference on exported networks', (folder) => {
  test("PyTorch's own shapes, which its newer exporter writes into the file, are found again", () => {
    const model = readOnnxModel(readFileSync(join(folder, 'models/resnet20.dynamo.onnx')))
    const { tensors } = inferShapes(model, { batch: 5 })
    expect(model.graph.valueInfo.length).toBeGreaterThan(50)
    for (const info of model.graph.valueInfo) {
      const declared = declaredShape(info)?.map((size) => (size === 'batch' ? 5 : size))
      expect({ name: info.name, dims: tensors.get(info.name)?.dims }).toEqual({ name: info.name, dims: declared })
    }
  })

  test.each(['densenet201', 'mobilenet_v2', 'resnet101', 'resnet18', 'resnet50', 'vit_b_16'])(
    '%s is known in all its tensors',
    (name) => {
      const model = readOnnxModel(readFileSync(join(folder, `skeletons/${name}.onnx`)))
      expect([...inferShapes(model, { batch: 2 }).failures.values()].map(({ message }) => message)).toEqual([])
    },
  )
})
