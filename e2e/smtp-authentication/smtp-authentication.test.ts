// SPDX-License-Identifier: MIT
import { DNS_PROGRAMS } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClientRun, python, run } from '../lib/clients.js'
import { eventually, scenario } from '../lib/scenario.js'
import { type Door, type Stage, setTheStage } from './stage.js'

const needs = {
  programs: ['dovecot', 'postfix', 'opendkim', 'arcsign', 'swaks', 'python3', ...DNS_PROGRAMS],
  root: true,
}

scenario('SMTP: SPF, DKIM, ARC and DMARC with a DNS and a site that signs', needs, () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await setTheStage()
  })
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]()
  })

  interface Letter {
    readonly subject: string
    readonly from: string
    readonly door?: Door
    /** Of From, where it is not that of the envelope. */
    readonly author?: string
    readonly more?: readonly string[]
  }

  const swaks = ({ subject, from, door = 'inbound', author = from, more = [] }: Letter): Promise<ClientRun> =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(stage.portico.ports[door]), '--helo', 'client.example'],
      ...['--from', from, '--h-From', author, '--to', 'alice@test.lan', '--header', `Subject: ${subject}`, ...more],
    ])

  /** By the signing site. */
  const signed = ({ subject, body = 'Hello' }: { readonly subject: string; readonly body?: string }) =>
    run('swaks', [
      ...[
        '--server',
        '127.0.0.1',
        '--port',
        String(stage.other.port),
        '--from',
        'bob@other.lan',
        '--to',
        'alice@test.lan',
      ],
      ...['--header', `Subject: ${subject}`, '--body', body],
    ])

  async function onceArrived(subject: string, user = 'alice'): Promise<string> {
    let found: string | undefined
    await eventually(async () => {
      found = (await stage.dovecot.mailOf(user)).find((text) => text.includes(`Subject: ${subject}\n`))
      expect(found).toBeDefined()
    })
    return found ?? ''
  }

  /** The results of the one field in our name, as another program reads them. */
  async function results(text: string): Promise<readonly string[]> {
    const said = await python(
      `
import authres, authres.arc, authres.dmarc, email, sys
message = email.message_from_string(sys.argv[1])
context = authres.FeatureContext(authres.dmarc, authres.arc)
fields = [field for field in message.get_all('Authentication-Results') if field.startswith('portico.test.lan')]
assert len(fields) == 1, fields
header = context.parse('Authentication-Results: ' + fields[0])
for result in header.results:
  print(result.method + '=' + result.result, *sorted(p.type + '.' + p.name + '=' + str(p.value) for p in result.properties if p.name != 'b'))
`,
      text.slice(0, text.indexOf('\n\n')),
    )
    return said.trimEnd().split('\n')
  }

  describe('mail of a site that signs', () => {
    test('passes; what it says of itself in our name is gone, and another program reads our one field', async () => {
      await signed({ subject: 'signed' })
      const text = await onceArrived('signed')
      expect(text).toMatch(/^DKIM-Signature: /m)
      expect(await results(text)).toEqual([
        'spf=pass smtp.mailfrom=bob@other.lan',
        'dkim=pass header.d=other.lan header.s=s1',
        'arc=none',
        'dmarc=pass header.from=other.lan',
      ])
      expect(text).toMatch(
        /^Received-SPF: pass \(portico\.test\.lan: domain of other\.lan designates 127\.0\.0\.1 as permitted sender\)\n/m,
      )
    })

    test('changed on the way: the signature does not hold, and its own server is enough for DMARC', async () => {
      await signed({ subject: 'changed', body: 'To be changed' })
      const text = await onceArrived('changed')
      expect(text).toContain('It was changed')
      expect(await results(text)).toEqual([
        'spf=pass smtp.mailfrom=bob@other.lan',
        'dkim=fail header.d=other.lan header.s=s1',
        'arc=none',
        'dmarc=pass header.from=other.lan',
      ])
      expect(text).toContain('dkim=fail (body was changed)')
    })

    test('a forged field in our name is not among them', async () => {
      const forged = 'Authentication-Results: portico.test.lan; dmarc=pass header.from=none.lan'
      expect((await swaks({ subject: 'forged', from: 'eve@none.lan', more: ['--header', forged] })).code).toBe(0)
      expect(await results(await onceArrived('forged'))).toEqual([
        'spf=none smtp.mailfrom=eve@none.lan',
        'dkim=none',
        'arc=none',
        'dmarc=fail header.from=none.lan policy.dmarc=none',
      ])
    })
  })

  describe('SPF', () => {
    const STRANGER = ['--local-interface', '127.0.0.9']
    test.each([
      [
        'a stranger: refused',
        'inbound',
        'bob@other.lan',
        '550 5.7.23 SPF: domain of other.lan does not designate 127.0.0.9 as permitted sender',
      ],
      ['softfail: passes', 'inbound', 'bob@soft.lan', 'spf=softfail'],
      ['softfail, where the site wants that: refused', 'strict', 'bob@soft.lan', '550 5.7.23 SPF'],
      ['SERVFAIL: passes', 'inbound', 'bob@down.lan', 'spf=temperror'],
      ['SERVFAIL, where the site wants that: later', 'strict', 'bob@down.lan', '451 4.4.3 SPF'],
      ['SERVFAIL at an include: later', 'strict', 'bob@deep.lan', '451 4.4.3 SPF'],
      ['no answer: passes', 'inbound', 'bob@slow.lan', 'spf=temperror'],
      ['no answer, where the site wants that: later', 'strict', 'bob@slow.lan', '451 4.4.3 SPF'],
      ['no policy', 'strict', 'bob@nobody.lan', 'spf=none'],
    ] as const)('%s', async (label, door, from, expected) => {
      const subject = label.replace(/\W+/g, '-')
      const done = await swaks({ subject, door, from, more: STRANGER })
      if (/^\d/.test(expected)) expect(done.stdout).toContain(expected)
      else expect((await results(await onceArrived(subject)))[0]).toMatch(expected)
    })
  })

  describe('DMARC', () => {
    test('the domain wants others rejected', async () => {
      const done = await swaks({ subject: 'reject', from: 'eve@reject.lan' })
      expect(done.stdout).toContain('550 5.7.1 Message refused by the DMARC policy of reject.lan')
      expect(await stage.portico.logged(/"agent":"dmarc"/)).toContain('an agent refused')
    })

    test('the sender of the envelope is somebody else, whose own domain permits it', async () => {
      const done = await swaks({ subject: 'misaligned', from: 'bob@other.lan', author: 'eve@reject.lan' })
      expect(done.stdout).toContain('550 5.7.1 Message refused by the DMARC policy of reject.lan')
    })

    test('the domain wants others in quarantine: there they go, and nobody else gets them', async () => {
      expect((await swaks({ subject: 'quarantine', from: 'eve@quarantine.lan' })).code).toBe(0)
      const text = await onceArrived('quarantine', 'spam')
      expect(text).toMatch(/^X-Portico-Quarantine: dmarc; dmarc=fail quarantine\.lan \(p=quarantine\)$/m)
      expect(text).toContain('alice@test.lan')
      expect((await results(text)).at(-1)).toBe('dmarc=fail header.from=quarantine.lan policy.dmarc=quarantine')
      expect(await stage.dovecot.mailOf('alice')).not.toContainEqual(expect.stringContaining('Subject: quarantine\n'))
    })

    test('two From fields', async () => {
      const done = await swaks({
        subject: 'two',
        from: 'bob@other.lan',
        more: ['--header', 'From : eve@none.lan', '--add-header', 'From: mallory@none.lan'],
      })
      expect(done.stdout).toContain('550 5.7.1 Message refused: several From fields')
    })

    test('nobody knows the policy: passes, or later where the site wants that', async () => {
      expect((await swaks({ subject: 'unknown', from: 'bob@unknown.lan' })).code).toBe(0)
      expect((await results(await onceArrived('unknown'))).at(-1)).toBe('dmarc=temperror header.from=unknown.lan')
      const done = await swaks({ subject: 'unknown', door: 'only-dmarc', from: 'bob@unknown.lan' })
      expect(done.stdout).toContain('451 4.4.3 The DMARC policy of unknown.lan cannot be looked at for now')
    })

    test('alone it looks at SPF and signatures itself', async () => {
      expect((await swaks({ subject: 'alone', door: 'only-dmarc', from: 'bob@other.lan' })).code).toBe(0)
      expect(await results(await onceArrived('alone'))).toEqual(['dmarc=pass header.from=other.lan'])
      const refused = await swaks({
        subject: 'alone',
        door: 'only-dmarc',
        from: 'bob@other.lan',
        more: ['--local-interface', '127.0.0.9'],
      })
      expect(refused.stdout).toContain('550 5.7.1 Message refused by the DMARC policy of other.lan')
    })
  })

  describe('a mailing list changes a signed message and seals what it has found', () => {
    /** Signs for reject.lan, changes the subject, seals as `sealer`, and sends it from there. Prints the reply. */
    const forward = (subject: string, sealer: string, found: string): Promise<string> =>
      python(
        `
import dkim, smtplib, sys
port, subject, sealer, found, key = sys.argv[1:]
key = key.encode()
message = ('From: alice@reject.lan\\r\\nTo: alice@test.lan\\r\\nSubject: hello\\r\\nDate: Sun, 29 Nov 2026 06:00:00 +0000\\r\\n\\r\\nHi.\\r\\n').encode()
message = dkim.sign(message, b's1', b'reject.lan', key, include_headers=[b'from', b'subject']) + message
message = message.replace(b'Subject: hello', b'Subject: ' + subject.encode())
message = ('Authentication-Results: ' + sealer + '; ' + found + '\\r\\n').encode() + message
seal = dkim.arc_sign(message, b's1', sealer.encode(), key, sealer.encode(), include_headers=[b'from', b'subject', b'to'], timestamp=1793491200)
message = b''.join(seal) + message
smtp = smtplib.SMTP('127.0.0.1', int(port))
try:
  smtp.sendmail('list@' + sealer, ['alice@test.lan'], message)
  print('taken')
except smtplib.SMTPResponseException as refused:
  print(refused.smtp_code, refused.smtp_error.decode())
smtp.quit()
`,
        ...[stage.portico.ports.inbound, subject, sealer, found, stage.sealingKey],
      )

    test('by a list that is trusted: kept, with the reason', async () => {
      expect(await forward('kept', 'lists.lan', 'dmarc=pass header.from=reject.lan')).toBe('taken\n')
      const text = await onceArrived('kept')
      expect(await results(text)).toEqual([
        'spf=none smtp.mailfrom=list@lists.lan',
        'dkim=fail header.d=reject.lan header.s=s1',
        'arc=pass smtp.remote-ip=127.0.0.1',
        'dmarc=fail header.from=reject.lan policy.dmarc=none',
      ])
      expect(text.replace(/\n\t/g, ' ')).toContain('p=reject kept, for lists.lan has sealed that it passed')
    })

    test.each([
      ['by somebody else', 'eve.lan', 'dmarc=pass header.from=reject.lan'],
      ['by one that is trusted, and has found that it fails', 'lists.lan', 'dmarc=fail header.from=reject.lan'],
      ['by one that is trusted, about another author', 'lists.lan', 'dmarc=pass header.from=none.lan'],
    ])('%s: refused', async (_label, sealer, found) => {
      expect(await forward('refused', sealer, found)).toContain(
        '550 5.7.1 Message refused by the DMARC policy of reject.lan',
      )
    })
  })

  test('agents that only watch change nothing and say in the log what they would have done', async () => {
    const done = await swaks({ subject: 'watched', door: 'audit', from: 'eve@reject.lan' })
    expect(done.code).toBe(0)
    const text = await onceArrived('watched')
    expect(text).not.toMatch(/^(?:Authentication-Results|Received-SPF|X-Portico)/m)
    const line = await stage.portico.logged(/"agent":"dmarc".*an agent only watches/)
    expect(line).toContain('dmarc=fail reject.lan (p=reject)')
  })
})
