import { countElements } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { InvalidNetworkConfigError } from './errors.ts'
import { parseNetworkConfig, planNetwork } from './network-config.ts'
import { listParameters } from './network-plan.ts'

const large = { classes: 1000, input: [224, 224, 3] }
const cifar = { classes: 10, input: [32, 32, 3] }

/** Configs with GMACs of design.md section 3, trained parameters as published, and blocks. */
const published = [
  [{ kind: 'bottleneck-resnet', depth: 50, form: 'imagenet', ...large }, 4.089184, 25_557_032, 16],
  [{ kind: 'bottleneck-resnet', depth: 101, form: 'imagenet', ...large }, 7.801405, 44_549_160, 33],
  [{ kind: 'bottleneck-resnet', depth: 152, form: 'imagenet', ...large }, 11.513627, 60_192_808, 50],
  [{ kind: 'densenet', depth: 121, form: 'imagenet', ...large }, 2.834162, 7_978_856, 58 + 3],
  [{ kind: 'densenet', depth: 201, form: 'imagenet', ...large }, 4.291366, 20_013_928, 98 + 3],
  [{ kind: 'mobilenet-v2', form: 'imagenet', ...large }, 0.300774, 3_504_872, 17],
  [{ kind: 'resnet', depth: 56, ...cifar }, 0.125486, 853_018, 27],
  [{ kind: 'resnet', depth: 110, ...cifar }, 0.252888, 1_727_962, 54],
] as const

describe('planned networks', () => {
  test.each(published)('%j costs %f GMACs and has %i parameters', (config, gigaMacs, parameters, blocks) => {
    const plan = planNetwork(parseNetworkConfig(config))
    expect(plan.macs / 1e9).toBeCloseTo(gigaMacs, 6)
    const trained = listParameters(plan).filter((parameter) => parameter.trained)
    expect(trained.reduce((sum, { shape }) => sum + countElements(shape), 0)).toBe(parameters)
    expect(plan.blocks).toHaveLength(blocks)
  })

  test('the stages of ResNet-101 end at the published shares', () => {
    const plan = planNetwork(parseNetworkConfig(published[1][0]))
    const shares = [2, 6, 29].map((block) => plan.blocks[block]?.share ?? 0)
    expect(shares.map((share) => Math.round(1000 * share))).toEqual([101, 232, 896])
  })

  test.each([
    [{ kind: 'bottleneck-resnet', depth: 50, form: 'cifar' }, [4, 4, 2048]],
    [{ kind: 'densenet', depth: 121, form: 'cifar' }, [4, 4, 1024]],
    [{ kind: 'mobilenet-v2', form: 'cifar' }, [4, 4, 320]],
    [{ kind: 'resnet', depth: 20 }, [8, 8, 64]],
  ])('%j ends in a map of %j', (config, shape) => {
    const plan = planNetwork(parseNetworkConfig({ ...config, ...cifar }))
    expect(plan.blocks.at(-1)?.shape).toEqual(shape)
  })

  test('the width scales channels, to multiples of eight in MobileNetV2', () => {
    const channels = (config: object) => {
      const { blocks } = planNetwork(parseNetworkConfig({ ...config, ...cifar }))
      return [blocks.at(0)?.shape[2], blocks.at(-1)?.shape[2]]
    }
    expect(channels({ kind: 'resnet', depth: 8, width: 0.5 })).toEqual([8, 32])
    expect(channels({ kind: 'mobilenet-v2', form: 'cifar', width: 0.35 })).toEqual([8, 112])
    expect(channels({ kind: 'plain', layers: [10, 30], width: 0.01 })).toEqual([1, 1])
  })

  test('a residual branch starts at zero where that is asked for', () => {
    const initial = (zeroInitResidual: boolean) => {
      const plan = planNetwork(parseNetworkConfig({ kind: 'resnet', depth: 8, zeroInitResidual, ...cifar }))
      const scales = listParameters(plan).filter(({ name }) => name.endsWith('norm2.scale'))
      return scales.map((parameter) => parameter.initial)
    }
    expect(initial(true)).toEqual([{ value: 0 }, { value: 0 }, { value: 0 }])
    expect(initial(false)).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }])
  })
})

describe('configs that no network can be planned from', () => {
  test.each([
    [{ kind: 'resnet', depth: 21, ...cifar }, 'depth: must be 6k + 2'],
    [{ kind: 'resnet', depth: 20, widht: 2, ...cifar }, 'widht'],
    [{ kind: 'bottleneck-resnet', depth: 34, form: 'cifar', ...cifar }, 'depth'],
    [{ kind: 'densenet', depth: 121, form: 'cifar', classes: 1, input: [32, 32] }, 'classes'],
    [{ kind: 'plain', layers: ['pool'], ...cifar }, 'at least one convolution'],
    [{ kind: 'transformer', ...cifar }, 'kind'],
    [null, 'config'],
  ])('%j is refused with the field that is wrong', (config, message) => {
    expect(() => parseNetworkConfig(config)).toThrow(InvalidNetworkConfigError)
    expect(() => parseNetworkConfig(config)).toThrow(message)
  })

  test('images too small for the pooling are refused', () => {
    const config = parseNetworkConfig({ kind: 'plain', layers: [4, 'pool', 'pool'], classes: 2, input: [3, 3, 1] })
    expect(() => planNetwork(config)).toThrow('a map side of 1 is smaller than a window of 2')
  })
})
