// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCertificates } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { check } from '../src/commands.js'

const root = new URL('../../../', import.meta.url)
const docs = new URL('docs/', root)
const folder = mkdtempSync(join(tmpdir(), 'portico-page-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The top-level keys of a configuration with what belongs to them. */
function partsOf(text: string): Map<string, string> {
  return new Map(text.split(/^(?=\w)/m).map((part) => [part.slice(0, part.indexOf(':')), part]))
}

/** The files that the pages speak of, in a folder of ours. */
function file(index: number, text: string): string {
  const { ca, server } = testCertificates()
  for (const [name, contents] of [
    ['mail.pem', server.certificate],
    ['mail.key', server.key],
    ['partners.pem', ca.certificate],
    ['users', 'kim:{PLAIN}secret::::::group=mbx1\n'],
    ['blocked', '198.51.100.0/24\n'],
    ['rules.yaml', 'rules: [{ name: from a file, stop: true }]\n'],
    ['forms.key', `${'a1'.repeat(32)}\n`],
    ['forms.old.key', `${'b2'.repeat(32)}\n`],
    ['profiles.pem', `${server.key}${server.certificate}`],
  ] as const)
    writeFileSync(join(folder, name), contents, { mode: 0o600 })
  const path = join(folder, `${index}.yaml`)
  writeFileSync(path, text.replaceAll('/etc/portico', folder))
  return path
}

const pageOf = (name: string, folder = docs): string => readFileSync(new URL(name, folder), 'utf8')

function blocksOf(page: string): readonly string[] {
  return [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
}

/** A whole configuration in which a piece of one stands in place of its keys. */
function within(site: string, piece: string): string {
  return [...new Map([...partsOf(site), ...partsOf(piece)]).values()].join('')
}

/** The pages whose first block is a whole configuration, and that of their other blocks. */
describe.each(['smtp.md', 'http.md', 'sogo.md', 'telephony.md'])('docs/%s', (name) => {
  const blocks = blocksOf(pageOf(name))
  const [site = ''] = blocks

  test('shows a site', () => {
    expect(site).toMatch(/^version: 1$/m)
  })

  test.each(blocks.map((text, index) => [index, text] as const))(
    'its block %d is a good configuration',
    async (index, text) => {
      await expect(check(file(index, within(site, text)))).resolves.toBeDefined()
    },
  )

  test('a key that does not exist would be found', async () => {
    const whole = site.replace('domains: [example.org] }\n', 'domain: [example.org] }\n')
    await expect(check(file(99, whole))).rejects.toThrow()
  })
})

/** The pages that show pieces alone, with the page whose site they are tried in. */
describe.each([
  ['access-rules.md', 'sogo.md'],
  ['anti-spam.md', 'smtp.md'],
  ['autodiscover.md', 'http.md'],
  ['outlook.md', 'http.md'],
  ['rules.md', 'smtp.md'],
  ['sites.md', 'smtp.md'],
])('docs/%s within the site of %s', (name, of) => {
  const [site = ''] = blocksOf(pageOf(of))
  const blocks = blocksOf(pageOf(name))

  test('shows some', () => {
    expect(blocks.length).toBeGreaterThan(0)
  })

  test.each(blocks.map((text, index) => [index, text] as const))('its block %d is good', async (index, text) => {
    await expect(check(file(index, within(site, text)))).resolves.toBeDefined()
  })
})

test('the configuration of the first page is good', async () => {
  const [site = ''] = blocksOf(pageOf('README.md', root))
  await expect(check(file(0, site))).resolves.toBeDefined()
})

describe('links', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'].concat(
    readdirSync(docs).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  )

  /** As they are written in links: in lower case, without signs, with dashes for spaces. */
  function headingsOf(page: string): readonly string[] {
    return [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )
  }

  test.each(pages)('those of %s lead to what is there', (name) => {
    const page = new URL(name, root)
    for (const [, target = ''] of pageOf(name, root).matchAll(/\]\(([^)\s]+)\)/g)) {
      const url = new URL(target, page)
      if (url.protocol !== 'file:') continue
      const anchor = url.hash.slice(1)
      url.hash = ''
      expect(existsSync(url), target).toBe(true)
      if (anchor !== '') expect(headingsOf(readFileSync(url, 'utf8')), target).toContain(anchor)
    }
  })

  test('the first page leads to every page', () => {
    const first = pageOf('README.md', root)
    for (const name of pages) if (name.startsWith('docs/')) expect(first).toContain(`](${name})`)
  })
})
