// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import {
  type Clamd,
  type Opendkim,
  type Rspamd,
  type SpamassMilter,
  startClamd,
  startOpendkim,
  startRspamd,
  startSpamassMilter,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OctetClient } from '../lib/octet-client.js'
import { peakGrowth } from '../lib/process-memory.js'
import { scenario } from '../lib/scenario.js'
import { GTUBE, type Site, startSite } from './site.js'

const needs = {
  programs: ['dovecot', 'postfix', 'rspamd', 'clamd', 'opendkim', 'spamass-milter', 'spamd', 'swaks'],
  root: true,
}
const MIB = 1024 ** 2
/** What a worker may need for one message, whatever its size. */
const BOUND = 64 * MIB

scenario('rspamd, ClamAV and milters together', needs, () => {
  let rspamd: Rspamd
  let clamd: Clamd
  let verifier: Opendkim
  let spam: SpamassMilter
  let site: Site<'tagging' | 'keeping' | 'watching' | 'all'>

  beforeAll(async () => {
    ;[rspamd, clamd, verifier, spam] = await Promise.all([
      startRspamd(),
      startClamd({ streamMaxLength: 200 * MIB, extra: 'MaxFileSize 200M\nMaxScanSize 200M' }),
      startOpendkim({ mode: 'v', internal: [] }),
      startSpamassMilter({ rejectFrom: 15 }),
    ])
    const asked = { type: 'rspamd', url: `http://127.0.0.1:${rspamd.port}/checkv2` }
    site = await startSite({
      tagging: { agents: [{ ...asked, action: 'tag' }] },
      keeping: { agents: [{ ...asked, action: { quarantine: 'guard@test.lan' } }] },
      watching: { agents: [{ ...asked, audit: true }] },
      all: {
        connector: { maxSize: '100MiB' },
        agents: [
          { ...asked, maxSize: '1MiB' },
          { type: 'clamav', endpoints: [`unix:${clamd.path}`], maxSize: '100MiB' },
          { type: 'milter', name: 'dkim', endpoint: `127.0.0.1:${verifier.port}` },
          { type: 'milter', name: 'spamassassin', endpoint: `127.0.0.1:${spam.port}` },
        ],
      },
    })
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
    await Promise.all([rspamd, clamd, verifier, spam].map((server) => server?.stop()))
  })

  describe('rspamd', () => {
    test('spam that is only tagged says why, has our marks and a confidence level, and not what it brought along', async () => {
      expect(
        (await site.send('tagging', 'tagged', '--header', 'X-Test-Score: 16', '--header', 'X-Spam: no')).code,
      ).toBe(0)
      const text = await site.arrived('tagged')
      expect(text).toMatch(/^X-Portico-Finding: rspamd; score 16\.00: TEST_SCORE$/m)
      expect(text).toMatch(/^X-MS-Exchange-Organization-SCL: 9$/m)
      expect(text).toMatch(/^X-Spam: yes$/m)
      expect(text).not.toContain('X-Spam: no')
    })

    test('doubtful mail has the confidence level of its score', async () => {
      expect((await site.send('tagging', 'doubtful', '--header', 'X-Test-Score: 7')).code).toBe(0)
      expect(await site.arrived('doubtful')).toMatch(/^X-MS-Exchange-Organization-SCL: 5$/m)
    })

    test('spam in quarantine lies there alone', async () => {
      expect((await site.send('keeping', 'kept', '--body', GTUBE)).code).toBe(0)
      expect(await site.arrived('kept', 'guard')).toMatch(/^X-Portico-Quarantine: rspamd; score /m)
      await site.postfix.settled()
      expect((await site.dovecot.mailOf('alice')).some((text) => text.includes('Subject: kept\n'))).toBe(false)
    })

    test('where it only watches spam goes on untouched, and the log says what would have been', async () => {
      expect((await site.send('watching', 'watched', '--body', GTUBE)).code).toBe(0)
      expect(await site.arrived('watched')).not.toMatch(/^X-(?:Spam|Portico|MS-Exchange)/m)
      expect(await site.portico.logged(/an agent only watches/)).toMatch(/"agent":"rspamd".*554 5\.7\.1 Gtube pattern/)
    })
  })

  describe('all of them', () => {
    test('clean mail passes all, and each has said so', async () => {
      expect((await site.send('all', 'clean')).code).toBe(0)
      const text = await site.arrived('clean')
      expect(text).toMatch(/^X-Spam-Status: No/m)
      expect(text).toContain('This is a test mailing')
      expect(clamd.log()).toMatch(/instream\(local\): OK/)
    })

    test.each([
      ['rspamd, which is asked first', () => [GTUBE], /554 5\.7\.1 Gtube pattern/],
      ['ClamAV', () => [clamd.pattern], /554 5\.7\.1 Message contains Portico\.Test/],
    ])('one is enough to refuse: %s', async (_label, body, expected) => {
      const done = await site.send('all', 'refused', '--body', body()[0] ?? '')
      expect(done.stdout).toMatch(expected)
      expect(await site.isNowhere('refused')).toBe(true)
    })

    test('a large message goes through all of them and arrives whole, in bounded memory', async () => {
      const line = `${'x'.repeat(72)}\r\n`
      const block = Buffer.from(line.repeat(1_000))
      const growth = await peakGrowth(site.portico.workers, async () => {
        const client = await OctetClient.plain(site.portico.ports.all)
        await client.linesTo('220 ')
        for (const command of ['EHLO client.example', 'MAIL FROM:<carol@example.org>', 'RCPT TO:<alice@test.lan>']) {
          await client.send(`${command}\r\n`)
          await client.linesTo('250 ')
        }
        await client.send('DATA\r\n')
        await client.linesTo('354 ')
        await client.send('From: carol@example.org\r\nSubject: large\r\n\r\n')
        for (let sent = 0; sent < 60 * MIB; sent += block.length) await client.send(block)
        await client.send('.\r\n')
        expect(await client.line()).toMatch(/^250 /)
        client.destroy()
      })
      expect(growth).toBeLessThan(BOUND)
      const text = await site.arrived('large')
      const body = text.slice(text.indexOf('\n\n') + 2)
      expect(body.length).toBeGreaterThan(59 * MIB)
      expect(sha256(body)).toBe(sha256(`${'x'.repeat(72)}\n`.repeat(body.length / 73)))
    })
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
