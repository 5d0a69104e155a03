// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'
import { ImapFlow } from 'imapflow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python } from '../lib/clients.js'
import { eventually, scenario } from '../lib/scenario.js'
import { type Site, startSite } from '../smtp-scanners/site.js'

const needs = { programs: ['dovecot', 'postfix', 'swaks', 'python3'], root: true }

/** A rule as the configuration has it. */
const rule = (name: string, conditions: object, ...actions: readonly object[]) => ({
  name,
  if: conditions,
  // Written as a key it would make the rule look like a promise.
  ...Object.fromEntries([['then', actions]]),
})
/** A rule for messages with a word in their subject. */
const when = (word: string, ...actions: readonly object[]) => rule(word, { subjectContains: word }, ...actions)

const ACTIONS = [
  when('toadd', { addRecipients: 'bob@test.lan' }),
  when('tocopy', { copyTo: 'bob@test.lan' }),
  when('toblind', { blindCopyTo: 'bob@test.lan' }),
  when('toredirect', { redirectTo: 'bob@test.lan' }),
  when('todelete', { delete: true }),
  when('todisconnect', { disconnect: true }),
  when('toprepend', { prependSubject: '[seen] ' }),
  when('toquarantine', { quarantine: 'guard@test.lan' }),
  when('tosethead', { setHeader: { name: 'X-Site', value: 'rules were here' } }),
  when('toremovehead', { removeHeader: ['X-Unwanted'] }),
  when('toscl', { setScl: 6 }),
  when('toreject', { reject: { text: 'Not of this site', enhanced: '5.7.903' } }),
  when('tolog', { logEvent: 'somebody wrote it' }),
  rule('a program', { attachmentExtension: 'exe' }, { reject: { text: 'No programs' } }),
  rule('a calendar', { messageType: 'calendaring' }, { setHeader: { name: 'X-Kind', value: 'calendaring' } }),
  rule('an answer', { messageType: 'auto-reply' }, { setHeader: { name: 'X-Kind', value: 'auto-reply' } }),
  rule('a signature', { messageType: 'signed' }, { setHeader: { name: 'X-Kind', value: 'signed' } }),
]

const NOTICE = { html: '<p>Seen by <b>test.lan</b> – für alle</p>', text: 'Seen by test.lan – für alle' }
const DISCLAIMERS = [
  { ...when('notice', { disclaimer: NOTICE }), except: { subjectOrBodyContains: 'Seen by test.lan' } },
  when('ignored', { disclaimer: { ...NOTICE, fallback: 'ignore' } }),
  when('refused', { disclaimer: { ...NOTICE, fallback: 'reject' } }),
]

const rulesFile = join(privateFolder('rls'), 'rules.yaml')
const ofFile = (text: string) =>
  writeFileSync(
    rulesFile,
    JSON.stringify({ rules: [when('ofthefile', { setHeader: { name: 'X-File', value: text } })] }),
  )

type Door = 'inbound' | 'audit' | 'files' | 'words' | 'filter' | 'strip'

scenario('SMTP with mail-flow rules, before Postfix and Dovecot', needs, () => {
  let site: Site<Door>
  beforeAll(async () => {
    ofFile('first')
    site = await startSite<Door>({
      inbound: { agents: [{ type: 'rules', rules: ACTIONS }] },
      audit: { agents: [{ type: 'rules', audit: true, rules: ACTIONS }] },
      files: { agents: [{ type: 'rules', file: rulesFile }] },
      words: { agents: [{ type: 'rules', rules: DISCLAIMERS }] },
      filter: { agents: [{ type: 'attachment-filter', passwordProtected: true }] },
      strip: { agents: [{ type: 'attachment-filter', strip: true }] },
    })
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  const headerOf = (text: string) => text.slice(0, text.indexOf('\n\n'))

  describe('each action', () => {
    test.each([
      ['addRecipients', 'toadd', /^To: .*bob@test\.lan$/m],
      ['copyTo', 'tocopy', /^Cc: .*bob@test\.lan$/m],
      ['blindCopyTo', 'toblind', undefined],
    ])('%s: both get it', async (_action, word, named) => {
      expect((await site.send('inbound', word)).code).toBe(0)
      const copies = [await site.arrived(word), await site.arrived(word, 'bob')].map(headerOf)
      for (const header of copies) {
        if (named === undefined) expect(header).not.toMatch(/^(To|Cc|Bcc):.*bob/im)
        else expect(header).toMatch(named)
      }
    })

    test('redirectTo: another one gets it', async () => {
      expect((await site.send('inbound', 'toredirect')).code).toBe(0)
      expect(headerOf(await site.arrived('toredirect', 'bob'))).toMatch(/^To: alice@test\.lan$/m)
      expect(await site.dovecot.mailOf('alice')).not.toContainEqual(expect.stringContaining('Subject: toredirect'))
    })

    test('delete: nobody gets it, and the client hears nothing of that', async () => {
      const done = await site.send('inbound', 'todelete')
      expect(done.code, done.stdout).toBe(0)
      expect(await site.isNowhere('todelete')).toBe(true)
    })

    test('disconnect: the connection ends', async () => {
      const done = await site.send('inbound', 'todisconnect')
      expect(done.stdout).toMatch(/421 4\.7\.0 /)
      expect(await site.isNowhere('todisconnect')).toBe(true)
    })

    test('prependSubject: once, however often it comes by', async () => {
      expect((await site.send('inbound', 'toprepend')).code).toBe(0)
      expect(headerOf(await site.arrived('[seen] toprepend'))).toMatch(/^Subject: \[seen\] toprepend$/m)
      expect((await site.send('inbound', '[seen] toprepend twice')).code).toBe(0)
      expect(headerOf(await site.arrived('[seen] toprepend twice'))).not.toMatch(/\[seen\] \[seen\]/)
    })

    test('quarantine: a mailbox of its own gets it, and it says for whom it was', async () => {
      expect((await site.send('inbound', 'toquarantine')).code).toBe(0)
      const header = headerOf(await site.arrived('toquarantine', 'guard'))
      expect(header).toMatch(/^X-Portico-Quarantine: rules; toquarantine$/m)
      expect(header).toMatch(/^X-Portico-Recipient: alice@test\.lan$/m)
      expect(await site.dovecot.mailOf('alice')).not.toContainEqual(expect.stringContaining('Subject: toquarantine'))
    })

    test.each([
      ['setHeader', 'tosethead', /^X-Site: rules were here$/m, /X-Site: forged/],
      ['removeHeader', 'toremovehead', /^Subject: toremovehead$/m, /X-Unwanted/],
      ['setScl', 'toscl', /^X-MS-Exchange-Organization-SCL: 6$/m, /SCL: -1/],
    ])('%s', async (_action, word, there, gone) => {
      const brought = ['X-Site: forged', 'X-Unwanted: yes', 'X-MS-Exchange-Organization-SCL: -1']
      expect((await site.send('inbound', word, ...brought.flatMap((field) => ['--header', field]))).code).toBe(0)
      const header = headerOf(await site.arrived(word))
      expect(header).toMatch(there)
      expect(header).not.toMatch(gone)
    })

    test('reject: in the words of the rule', async () => {
      expect((await site.send('inbound', 'toreject')).stdout).toMatch(/550 5\.7\.903 Not of this site/)
      expect(await site.isNowhere('toreject')).toBe(true)
    })

    test('logEvent', async () => {
      expect((await site.send('inbound', 'tolog')).code).toBe(0)
      expect(await site.portico.logged(/somebody wrote it/)).toContain('"rule":"tolog"')
    })
  })

  test('rules that only watch change nothing, and the log says what they would have done', async () => {
    for (const word of ['toreject', 'todelete', 'toredirect', 'toprepend']) {
      const done = await site.send('audit', `${word} watched`)
      expect(done.code, done.stdout).toBe(0)
      expect(headerOf(await site.arrived(`${word} watched`))).toMatch(new RegExp(`^Subject: ${word} watched$`, 'm'))
    }
    expect(await site.portico.logged(/"rule":"todelete","mode":"audit"/)).toContain('"actions":["delete"]')
  })

  test('rules in a file count anew when it changes', async () => {
    expect((await site.send('files', 'ofthefile before')).code).toBe(0)
    expect(headerOf(await site.arrived('ofthefile before'))).toMatch(/^X-File: first$/m)
    ofFile('second')
    let tries = 0
    await eventually(async () => {
      tries += 1
      const subject = `ofthefile after ${tries}`
      expect((await site.send('files', subject)).code).toBe(0)
      expect(headerOf(await site.arrived(subject))).toMatch(/^X-File: second$/m)
    })
  })

  describe('what a message is and holds', () => {
    test('a program among its files', async () => {
      const done = await site.send('inbound', 'program', '--attach-name', 'setup.exe', '--attach', 'x')
      expect(done.stdout).toMatch(/550 5\.7\.1 No programs/)
      expect((await site.send('inbound', 'letter', '--attach-name', 'a.pdf', '--attach', 'x')).code).toBe(0)
    })

    test.each([
      ['calendaring', 'Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n'],
      ['auto-reply', 'Auto-Submitted: auto-replied\r\n\r\nI am away\r\n'],
      ['signed', 'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n'],
    ])('%s', async (kind, rest) => {
      await site.sendRaw('inbound', `Subject: kind ${kind}\r\nMIME-Version: 1.0\r\n${rest}`)
      expect(headerOf(await site.arrived(`kind ${kind}`))).toMatch(new RegExp(`^X-Kind: ${kind}$`, 'm'))
    })
  })

  describe('disclaimers', () => {
    const SIGNED =
      'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=s\r\n\r\n--s\r\n\r\nas signed\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsignature\r\n--s--\r\n'

    test('in plain text and in HTML, and the attachment stays', async () => {
      await site.sendRaw(
        'words',
        [
          ...['Subject: notice both', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=m', ''],
          ...['--m', 'Content-Type: multipart/alternative; boundary=a', ''],
          ...['--a', 'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit', '', 'h\xe9'],
          ...['--a', 'Content-Type: text/html', '', '<html><body><p>h&eacute;</p></body></html>', '--a--'],
          ...['--m', 'Content-Type: image/png; name=a.png', 'Content-Transfer-Encoding: base64', '', 'iVBORw0KGgo='],
          ...['--m--', ''],
        ].join('\r\n'),
      )
      const [plain, html, image] = await partsOf(site, 'notice both')
      expect(plain?.text).toBe(`hé\n\n${NOTICE.text}\n`)
      expect(html?.text.trimEnd()).toBe(`<html><body><p>h&eacute;</p>${NOTICE.html}</body></html>`)
      expect(image).toEqual({ type: 'image/png', name: 'a.png', text: '\x89PNG\r\n\x1a\n' })
    })

    test('not a second time, by the exception of the rule', async () => {
      expect((await site.send('words', 'notice again', '--body', `x\n\n${NOTICE.text.split(' –')[0]}\n`)).code).toBe(0)
      expect(await site.arrived('notice again')).not.toContain('Content-Transfer-Encoding')
    })

    test('a signed message goes along with a new one, octet for octet', async () => {
      await site.sendRaw('words', `Subject: notice signed\r\nMIME-Version: 1.0\r\n${SIGNED}`)
      const [plain, html, inner] = await partsOf(site, 'notice signed')
      expect([plain?.type, html?.type, inner?.type]).toEqual(['text/plain', 'text/html', 'message/rfc822'])
      expect(plain?.text.trimEnd()).toBe(NOTICE.text)
      expect(html?.text.trimEnd()).toBe(NOTICE.html)
      expect(await site.arrived('notice signed')).toContain(SIGNED.replaceAll('\r\n', '\n'))
    })

    test('or goes as it is, or is refused, as the rule says', async () => {
      await site.sendRaw('words', `Subject: ignored\r\nMIME-Version: 1.0\r\n${SIGNED}`)
      expect(await site.arrived('ignored')).toContain(SIGNED.slice(SIGNED.indexOf('--s')).replaceAll('\r\n', '\n'))
      await expect(site.sendRaw('words', `Subject: refused\r\nMIME-Version: 1.0\r\n${SIGNED}`)).rejects.toThrow(
        /550.*5\.7\.1 This site adds a text/,
      )
      expect((await site.send('words', 'refused not')).code).toBe(0)
      expect(await site.arrived('refused not')).toContain('Seen by test.lan')
    })
  })

  describe('attachment-filter', () => {
    /** A message of Python's email package with one file, and another one that nobody minds. */
    const withFile = (subject: string, name: string, content: string) =>
      python(
        `
import base64, email.message, io, smtplib, sys, zipfile
subject, name, content, port = sys.argv[1:]
def file():
    if content != 'zip' and content != 'locked': return content.encode('latin1')
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z: z.writestr('run.exe' if content == 'zip' else 'a.txt', 'x')
    data = bytearray(out.getvalue())
    if content == 'locked': data[6] |= 1
    return bytes(data)
m = email.message.EmailMessage()
m['Subject'], m['From'], m['To'] = subject, 'carol@example.org', 'alice@test.lan'
m.set_content('see the file\\n')
m.add_attachment(file(), maintype='application', subtype='octet-stream', filename=name)
m.add_attachment(b'kept', maintype='image', subtype='png', filename='kept.png')
try:
    with smtplib.SMTP('127.0.0.1', int(port)) as s: s.send_message(m)
    print('taken')
except smtplib.SMTPDataError as e: print(e.smtp_code, e.smtp_error.decode())
`,
        ...[subject, name, content, site.portico.ports[subject.startsWith('strip') ? 'strip' : 'filter']],
      )

    test.each([
      ['by its name', 'setup.EXE', 'x', '"setup.EXE" has a name'],
      ['by its octets', 'cat.jpg', 'MZ\x90', '"cat.jpg" is a program'],
      ['in an archive', 'a.zip', 'zip', '"run.exe" in it'],
      ['behind a password', 'b.zip', 'locked', '"b.zip" is an archive with a password'],
      ['whose name is coded', 'rüben.js', 'x', '"rüben.js" has a name'],
    ])('a program %s is refused', async (_how, name, content, reason) => {
      expect(await withFile(`refused ${name}`, name, content)).toBe(
        '550 5.7.1 This message has an attachment that is not accepted here\n',
      )
      await eventually(() => expect(site.portico.log().replaceAll('\\"', '"')).toContain(reason))
    })

    test('another file passes', async () => {
      expect(await withFile('passes', 'letter.pdf', '%PDF')).toBe('taken\n')
      expect(await site.arrived('passes')).toContain('letter.pdf')
    })

    test('a note comes instead of it, and the rest as it was', async () => {
      expect(await withFile('strip it', 'setup.exe', 'x')).toBe('taken\n')
      const parts = await partsOf(site, 'strip it')
      expect(parts.map(({ type, name }) => [type, name])).toEqual([
        ['text/plain', ''],
        ['text/plain', ''],
        ['image/png', 'kept.png'],
      ])
      expect(parts[1]?.text).toContain('"setup.exe" has a name that is not accepted')
      expect(parts[2]?.text).toBe('kept')
    })
  })
})

interface ArrivedPart {
  readonly type: string
  readonly name: string
  readonly text: string
}

/** A message in alice's mailbox as IMAP gives it and Python reads it. */
async function partsOf(site: Site<Door>, subject: string): Promise<readonly ArrivedPart[]> {
  await site.arrived(subject)
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: site.dovecot.ports.imap,
    secure: false,
    tls: { rejectUnauthorized: false },
    auth: { user: 'alice', pass: 'alicepw' },
    logger: false,
  })
  await client.connect()
  try {
    await client.mailboxOpen('INBOX')
    const [uid = 0] = (await client.search({ subject }, { uid: true })) || []
    const { source } = (await client.fetchOne(String(uid), { source: true }, { uid: true })) || {}
    return JSON.parse(await python(READ, source?.toString('base64') ?? ''))
  } finally {
    await client.logout()
  }
}

const READ = `
import base64, email, email.policy, json, sys
m = email.message_from_bytes(base64.b64decode(sys.argv[1]), policy=email.policy.default)
def text(p):
    if p.get_content_type() == 'message/rfc822': return p.get_content().as_string()
    c = p.get_content()
    if isinstance(c, str): c = c.replace('\\r\\n', '\\n')
    return c if isinstance(c, str) else c.decode('latin1')
def leaves(p):
    if p.get_content_maintype() == 'multipart': return [l for s in p.iter_parts() for l in leaves(s)]
    return [{'type': p.get_content_type(), 'name': p.get_filename() or '', 'text': text(p)}]
print(json.dumps(leaves(m)))
`
