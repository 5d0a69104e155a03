// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'

interface Target {
  readonly name: string
  readonly examples: readonly string[]
}

/** The fuzzer is plain JavaScript. */
const part = (file: string) => import(new URL(`../${file}`, import.meta.url).href)
const { examine } = await part('engine.mjs')
const { corpusOf } = await part('corpus.mjs')
const { makeTargets } = await part('targets/index.mjs')
/** The sources, so that a failing line is the line that was written. */
const load = (where: string, module: string) =>
  import(new URL(`../../../${where}/src/${module}.ts`, import.meta.url).href)
const targets: readonly Target[] = await makeTargets(load)

describe.each(targets.map((target) => [target.name, target] as const))('%s', (name, target) => {
  const examples = target.examples.map(
    (text) => [JSON.stringify(text).slice(0, 60), Buffer.from(text, 'latin1')] as const,
  )
  const findings = corpusOf(name).map(({ file, bytes }: { file: string; bytes: Buffer }) => [file, bytes] as const)

  test.each([...examples, ...findings])('%s', async (_label, bytes) => {
    await examine(target, bytes)
  })
})

test('a parser that throws, or depends on how its octets are cut, is found', async () => {
  const broken = {
    name: 'broken',
    examples: [],
    streams: true,
    run: async (_: Buffer, pieces: Buffer[]) => pieces.length,
  }
  await expect(examine(broken, Buffer.from('ab'))).rejects.toThrow('octet by octet it is')
  const throwing = { ...broken, run: () => Promise.reject(new RangeError('deep')) }
  await expect(examine(throwing, Buffer.from('ab'))).rejects.toThrow('deep')
})
