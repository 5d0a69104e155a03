// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCertificates } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { check } from '../src/commands.js'

const docs = new URL('../../../docs/', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'portico-page-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The top-level keys of a configuration with what belongs to them. */
function partsOf(text: string): Map<string, string> {
  return new Map(text.split(/^(?=\w)/m).map((part) => [part.slice(0, part.indexOf(':')), part]))
}

/** The files that the pages speak of, in a folder of ours. */
function file(index: number, text: string): string {
  const { server } = testCertificates()
  for (const [name, contents] of [
    ['mail.pem', server.certificate],
    ['mail.key', server.key],
    ['users', 'kim:{PLAIN}secret::::::group=mbx1\n'],
    ['blocked', '198.51.100.0/24\n'],
    ['forms.key', `${'a1'.repeat(32)}\n`],
    ['forms.old.key', `${'b2'.repeat(32)}\n`],
  ] as const)
    writeFileSync(join(folder, name), contents, { mode: 0o600 })
  const path = join(folder, `${index}.yaml`)
  writeFileSync(path, text.replaceAll('/etc/portico', folder))
  return path
}

/** The pages whose first block is a whole configuration; their others stand in place of its keys. */
describe.each(['smtp.md', 'http.md', 'sogo.md'])('docs/%s', (name) => {
  const page = readFileSync(new URL(name, docs), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
  const [site = ''] = blocks

  test('shows a site', () => {
    expect(site).toMatch(/^version: 1$/m)
  })

  test.each(blocks.map((text, index) => [index, text] as const))(
    'its block %d is a good configuration',
    async (index, text) => {
      const whole = [...new Map([...partsOf(site), ...partsOf(text)]).values()].join('')
      await expect(check(file(index, whole))).resolves.toBeDefined()
    },
  )

  test('a key that does not exist would be found', async () => {
    const whole = site.replace('domains: [example.org] }\n', 'domain: [example.org] }\n')
    await expect(check(file(99, whole))).rejects.toThrow()
  })

  test('its links lead to what is there', () => {
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text.toLowerCase().replaceAll(' ', '-'))
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('https://')) continue
      const [file = '', anchor = ''] = target.split('#')
      if (file === '') expect(headings).toContain(anchor)
      else expect(existsSync(new URL(file, docs)), file).toBe(true)
    }
  })
})
