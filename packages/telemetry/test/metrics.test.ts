// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { createMetrics, metricsText, noMetrics } from '../src/index.js'

const helped = async (processes: readonly ReturnType<typeof createMetrics>[]) =>
  metricsText(await Promise.all(processes.map((metrics) => metrics.values())))

test('what several processes have counted is told as one sum, in the text that Prometheus reads', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.counter('portico_things_total', 'Things', ['kind']).add(2, { kind: 'a' })
  other.counter('portico_things_total', 'Things', ['kind']).add(3, { kind: 'a' })
  other.counter('portico_things_total', 'Things', ['kind']).add(1, { kind: 'b"\n' })
  expect(await helped([one, other])).toBe(
    [
      '# HELP portico_things_total Things',
      '# TYPE portico_things_total counter',
      'portico_things_total{kind="a"} 5',
      'portico_things_total{kind="b\\"\\n"} 1',
      '',
    ].join('\n'),
  )
})

test('times are told in seconds, by what they stay below', async () => {
  const metrics = createMetrics()
  metrics.timer('portico_wait_seconds', 'Waits', []).took(300, {})
  const text = await helped([metrics])
  expect(text).toContain('portico_wait_seconds_bucket{le="0.1"} 0\n')
  expect(text).toContain('portico_wait_seconds_bucket{le="0.5"} 1\n')
  expect(text).toContain('portico_wait_seconds_sum 0.3\n')
})

test('where nobody counts there is nothing', async () => {
  noMetrics.counter('portico_things_total', 'Things', []).add(1, {})
  noMetrics.timer('portico_wait_seconds', 'Waits', []).took(1, {})
  expect(await noMetrics.values()).toEqual([])
})
