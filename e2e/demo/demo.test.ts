// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../lib/clients.js'
import { PORTICO } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const DEMO = fileURLToPath(new URL('../../packages/demo-mailbox/dist/bin.js', import.meta.url))

/** What each printed line has to say, in the order of the sheet. */
const EXPECTED: readonly (readonly [title: string, said: RegExp])[] = [
  ['alice’s folders', /^\* LIST .* "?INBOX"?\r?$/m],
  ['the subject of her first mail', /^Subject: /m],
  ['bob’s mail by POP3', /^1 \d+/m],
  ['alice writes to bob', /^$/],
  ['bob reads it by IMAP4', /^Subject: Hello\r\n\r\nFrom alice, through the front door\.\r\n/m],
  ['bob reads it by POP3', /^Subject: Hello\r\n\r\nFrom alice, through the front door\.\r\n/m],
  ['somebody from outside writes to bob', /^$/],
  ['bob reads that', /^Subject: From afar\r\n\r\nStraight to the right server\.\r\n/m],
  ['the web page', /<html/i],
]

scenario('the lines that scripts/start prints', { programs: ['curl'] }, () => {
  let demo: ChildProcess
  let lines: readonly string[] = []

  beforeAll(async () => {
    demo = spawn(process.execPath, [DEMO, '--portico', PORTICO], { stdio: ['ignore', 'pipe', 'inherit'] })
    let sheet = ''
    for await (const chunk of demo.stdout ?? []) {
      sheet += String(chunk)
      if (sheet.includes('Ctrl-C stops all')) break
    }
    lines = sheet.split('\n').flatMap((line) => (/^ {2}(?:curl|printf) /.test(line) ? [line.trim()] : []))
  })
  afterAll(async () => {
    demo?.kill('SIGTERM')
    if (demo?.exitCode === null) await once(demo, 'exit')
  })

  test('are these', () => {
    expect(lines).toHaveLength(EXPECTED.length)
  })

  test.each(EXPECTED.map(([title, said], index) => [title, index, said] as const))(
    '%s',
    async (_title, index, said) => {
      const { code, stdout, stderr } = await run('sh', ['-c', lines[index] ?? 'false'])
      expect(code, stderr).toBe(0)
      expect(stdout).toMatch(said)
    },
  )

  test('lead to a web mailbox with a sign-in page', async () => {
    const [, curl = '', url = ''] = /^(curl .*--cacert \S+).*(https:\S+)$/.exec(lines.at(-1) ?? '') ?? []
    const jar = `${curl.split(' ').at(-1)}.cookies`
    const ask = async (words: string) => {
      const { stdout, stderr } = await run('sh', ['-c', `${curl} -b ${jar} -c ${jar} -H 'Accept: text/html' ${words}`])
      expect(stderr).toBe('')
      return stdout
    }
    const page = await ask(`-L ${url}`)
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const form = `-L -d username=alice -d password=wonderland -d destination=/ -d token=${token}`
    expect(await ask(`${form} -H 'Origin: ${url.slice(0, -1)}' ${url}auth.owa`)).toContain('<h1>alice on first</h1>')
    expect(await ask(`-L ${url}logoff.owa`)).toContain('You are signed out.')
    expect(await ask(`-L ${url}`)).toContain('name="password"')
  })
})
