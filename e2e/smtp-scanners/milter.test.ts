// SPDX-License-Identifier: MIT
import { type Opendkim, type SpamassMilter, startOpendkim, startSpamassMilter } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scenario } from '../lib/scenario.js'
import { GTUBE, type Site, startSite } from './site.js'

const needs = {
  programs: ['dovecot', 'postfix', 'opendkim', 'spamass-milter', 'spamd', 'swaks'],
  root: true,
}
const SIGNED_IN = ['-tls', '-au', 'alice', '-ap', 'alicepw', '--from', 'alice@test.lan', '--to', 'bob@test.lan']

scenario('milters at the door', needs, () => {
  let signer: Opendkim
  let verifier: Opendkim
  let spam: SpamassMilter
  let site: Site<'submission' | 'verified' | 'spam' | 'marked' | 'easy'>

  beforeAll(async () => {
    signer = await startOpendkim({ mode: 's' })
    verifier = await startOpendkim({ mode: 'v', internal: [], keys: { [signer.keyName]: signer.keyRecord } })
    spam = await startSpamassMilter({ rejectFrom: 15 })
    const milter = (server: { readonly port: number }, more: object = {}) => ({
      ...{ type: 'milter', endpoint: `127.0.0.1:${server.port}`, deadline: '10s' },
      ...more,
    })
    site = await startSite({
      submission: {
        agents: [milter(signer, { name: 'dkim', antiSpam: false })],
        connector: { permissions: { authenticated: ['submit', 'relay', 'any-sender', 'bypass-anti-spam'] } },
      },
      verified: { agents: [milter(verifier, { name: 'dkim' })] },
      spam: { agents: [milter(spam, { name: 'spamassassin' })] },
      marked: { agents: [milter(spam, { action: 'tag', whenAway: 'tempfail' })] },
      easy: { agents: [milter(spam, { whenAway: 'pass', name: 'easy' })] },
    })
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
    await Promise.all([signer, verifier, spam].map((server) => server?.stop()))
  })

  describe('opendkim', () => {
    test('signs what goes out, and another one finds the signature valid', async () => {
      const sent = await site.send('submission', 'signed', ...SIGNED_IN)
      expect(sent.code, sent.stdout).toBe(0)
      const text = await site.arrived('signed', 'bob')
      expect(text).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256; .*d=test\.lan/m)
      // Without what others have put in front since, as the next server would see it.
      await site.sendRaw('verified', text.slice(text.indexOf('DKIM-Signature:')).replace(/\n/g, '\r\n'))
      expect(await site.arrived('signed')).toMatch(/^Authentication-Results: [^;]*;\s+dkim=pass/m)
    })

    test('finds that a message is not what was signed', async () => {
      const text = await site.arrived('signed', 'bob')
      const changed = text.slice(text.indexOf('DKIM-Signature:')).replace('Subject: signed', 'Subject: changed')
      await site.sendRaw('verified', changed.replace(/\n/g, '\r\n'))
      expect(await site.arrived('changed')).toMatch(/^Authentication-Results: [^;]*;\s+dkim=fail/m)
    })
  })

  describe('SpamAssassin', () => {
    test('clean mail arrives and says that it was looked at', async () => {
      expect((await site.send('spam', 'clean')).code).toBe(0)
      expect(await site.arrived('clean')).toMatch(/^X-Spam-Status: No, /m)
    })

    test('spam is marked in its own words: subject, fields and body', async () => {
      expect((await site.send('spam', 'doubtful', '--header', 'X-Test-Spam: yes')).code).toBe(0)
      const text = await site.arrived('doubtful')
      expect(text).toMatch(/^X-Spam-Flag: YES$/m)
      expect(text).toMatch(/^X-Spam-Status: Yes, score=\d/m)
      // The report in front, the message behind it.
      const body = text.slice(text.indexOf('\n\n'))
      expect(body).toMatch(/Spam detection software/)
      expect(body).toContain('This is a test mailing')
    })

    test('GTUBE is refused, and the mailbox server never saw the message', async () => {
      const done = await site.send('spam', 'gtube', '--body', GTUBE)
      expect(done.stdout).toMatch(/550 5\.7\.1 Blocked by SpamAssassin/)
      expect(await site.isNowhere('gtube')).toBe(true)
    })

    test('where findings are only tagged the message goes on with the reason', async () => {
      expect((await site.send('marked', 'tagged', '--body', GTUBE)).code).toBe(0)
      expect(await site.arrived('tagged')).toMatch(/^X-Portico-Finding: milter; 550 5\.7\.1 Blocked by SpamAssassin/m)
    })

    test('several messages of one session are judged one by one', async () => {
      const mail = (subject: string, body: string) =>
        `From: carol@example.org\r\nSubject: ${subject}\r\n\r\n${body}\r\n`
      const said = await site.sendInTurn('spam', [mail('one', GTUBE), mail('two', 'hello'), mail('three', GTUBE)])
      expect(said.map((reply) => reply.slice(0, 3))).toEqual(['550', '250', '550'])
      expect(await site.arrived('two')).toMatch(/^X-Spam-Status: No/m)
      expect(await site.isNowhere('three')).toBe(true)
    })

    test('when it is gone, mail is put off, or goes on where the site wants that', async () => {
      await spam.stop()
      expect((await site.send('spam', 'gone')).stdout).toMatch(/421 4\.3\.2|451 4\.3\.0/)
      expect((await site.send('easy', 'unseen', '--body', GTUBE)).code).toBe(0)
      await site.arrived('unseen')
    })
  })
})
