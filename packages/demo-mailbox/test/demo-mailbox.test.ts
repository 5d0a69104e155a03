// SPDX-License-Identifier: MIT
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createDemoCa, createDemoMailbox, DemoDirectory, type DemoMailbox } from '@portico/demo-mailbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCommand, parseSet } from '../src/imap/parse.js'

let first: DemoMailbox
let second: DemoMailbox

beforeAll(async () => {
  const directory = new DemoDirectory()
  const common = { mail: 'seed' as const, directory, master: { name: 'portico', password: 'm' } }
  first = await createDemoMailbox({ name: 'first', users: [{ name: 'alice', password: 'pw-a' }], ...common })
  second = await createDemoMailbox({ name: 'second', users: [{ name: 'bob', password: 'pw-b' }], ...common })
})
afterAll(async () => {
  await first[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
})

class Client {
  readonly #socket: Socket
  #text = ''

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port })
    this.#socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1')
    })
  }

  /** Sends, and returns everything up to what matches. */
  async say(text: string, until: RegExp): Promise<string> {
    if (text !== '') this.#socket.write(text)
    for (;;) {
      const found = until.exec(this.#text)
      if (found !== null) {
        const all = this.#text.slice(0, found.index + found[0].length)
        this.#text = this.#text.slice(all.length)
        return all
      }
      await once(this.#socket, 'data')
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}

async function imap(port: number, login: string): Promise<(command: string) => Promise<string>> {
  const client = new Client(port)
  await client.say('', /\* OK .*\r\n/)
  const ask = (command: string) => client.say(`a ${command}\r\n`, /^a .*\r\n/m)
  expect(await ask(login)).toContain('a OK')
  return ask
}

describe('the IMAP server', () => {
  test('a message is appended with a literal, found, read in parts, moved and expunged (RFC 3501 section 6)', async () => {
    const ask = await imap(first.ports.imap4, 'LOGIN alice "pw-a"')
    await ask('CREATE Work')
    const text = 'Subject: Plan\r\n\r\nBody.\r\n'
    expect(await ask(`APPEND Work (\\Flagged) {${text.length}+}\r\n${text}`)).toMatch(/APPENDUID \d+ 1\]/)
    expect(await ask('SELECT Work')).toContain('* 1 EXISTS')
    expect(await ask('SEARCH SUBJECT plan UNSEEN')).toContain('* SEARCH 1\r\n')
    expect(await ask('FETCH 1 BODY.PEEK[TEXT]<2.3>')).toContain('* 1 FETCH (BODY[TEXT]<2> {3}\r\ndy.)')
    expect(await ask('FETCH 1 (FLAGS)')).toContain('FLAGS (\\Flagged))')
    expect(await ask('UID FETCH 1 BODY[]')).toContain(text)
    expect(await ask('UID SEARCH SEEN')).toContain('* SEARCH 1\r\n')
    expect(await ask('UID MOVE 1 Trash')).toMatch(/COPYUID.*\r\n\* 1 EXPUNGE/)
    expect(await ask('CLOSE')).toContain('a OK')
  })

  test('who idles hears of new mail at once (RFC 2177)', async () => {
    const client = new Client(second.ports.imap4)
    await client.say('a LOGIN bob pw-b\r\nb SELECT INBOX\r\nc IDLE\r\n', /\+ idling\r\n/)
    second.account('bob')?.inbox.append(Buffer.from('Subject: now\r\n\r\nx\r\n'))
    expect(await client.say('', /EXISTS\r\n/)).toBe('* 5 EXISTS\r\n')
    expect(await client.say('DONE\r\n', /c OK.*\r\n/)).toContain('c OK')
    client.close()
  })

  test.each([
    ['the master user, for alice', 'alice\0portico\0m', 'OK'],
    ['the master user, for nobody', '\0portico\0m', 'NO'],
    ['alice, for herself', 'alice\0alice\0pw-a', 'OK'],
    ['alice, for bob', 'bob\0alice\0pw-a', 'NO'],
    ['a wrong password', '\0alice\0pw-b', 'NO'],
  ])('AUTHENTICATE PLAIN as %s', async (_who, plain, verdict) => {
    const client = new Client(first.ports.imap4)
    const response = Buffer.from(plain).toString('base64')
    expect(await client.say(`a AUTHENTICATE PLAIN ${response}\r\n`, /^a .*\r\n/m)).toContain(`a ${verdict} `)
    client.close()
  })

  test.each([
    ['a () b', undefined],
    ['a FETCH 1 BODY[HEADER.FIELDS (TO)]<0.5>', 'BODY[HEADER.FIELDS (TO)]<0.5>'],
    ['a X 1 (unclosed', undefined],
    [`a X 1 ${'('.repeat(50)}`, undefined],
  ])('the parser takes %s for what it is', (text, second) => {
    const argument = parseCommand(text)?.args[1]
    expect(argument?.kind === 'atom' ? argument.text : undefined).toBe(second)
  })

  test('sets of numbers know the last one', () => {
    expect(parseSet('3,5:*', 7)).toEqual([
      [3, 3],
      [5, 7],
    ])
    expect(parseSet('*:5', 3)).toEqual([[3, 5]])
    expect(parseSet('1:x', 3)).toBeUndefined()
  })
})

describe('the other servers', () => {
  test('POP3 gives back what SMTP delivered on the other mailbox, dots and all (RFC 1939 section 3)', async () => {
    const smtp = new Client(first.ports.smtp)
    await smtp.say('', /220 .*\r\n/)
    await smtp.say('EHLO x\r\n', /^250 .*\r\n/m)
    await smtp.say('MAIL FROM:<alice@example.test>\r\n', /250 .*\r\n/)
    expect(await smtp.say('RCPT TO:<nobody@example.test>\r\n', /\d.*\r\n/)).toMatch(/^550 5\.1\.1/)
    await smtp.say('RCPT TO:<bob@example.test>\r\n', /250 .*\r\n/)
    await smtp.say('DATA\r\n', /354 .*\r\n/)
    await smtp.say('Subject: dots\r\n\r\n..one\r\n.\r\n', /250 .*\r\n/)
    smtp.close()
    const pop = new Client(second.ports.pop3)
    const count = second.account('bob')?.inbox.messages.length
    await pop.say('USER bob\r\nPASS pw-b\r\n', /\+OK welcome.*\r\n/)
    expect(await pop.say(`RETR ${count}\r\n`, /\r\n\.\r\n/)).toContain('\r\n\r\n..one\r\n.\r\n')
    pop.close()
  })

  test('the web page asks who one is, and shows mail without letting it in as markup', async () => {
    const url = `http://127.0.0.1:${first.ports.http}/`
    expect((await fetch(url)).status).toBe(401)
    first.account('alice')?.inbox.append(Buffer.from('Subject: <script>x</script>\r\n\r\n<b>\r\n'))
    const authorization = `Basic ${Buffer.from('alice:pw-a').toString('base64')}`
    const page = await (await fetch(url, { headers: { authorization } })).text()
    expect(page).toContain('Grüße aus Zürich')
    expect(page).not.toContain('<script>')
  })

  test('the web page writes mail to whoever has an address, and no other site does so', async () => {
    const url = `http://127.0.0.1:${first.ports.http}/`
    const authorization = `Basic ${Buffer.from('alice:pw-a').toString('base64')}`
    const write = (form: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${url}send`, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { authorization, ...headers },
        redirect: 'manual',
      })
    const inbox = second.account('bob')?.inbox.messages ?? []
    const before = inbox.length
    const sent = await write({ to: 'bob@example.test', subject: 'Grüße\r\nBcc: x', text: 'Bis\r\nmorgen' })
    expect([sent.status, sent.headers.get('location')]).toEqual([303, './?notice=sent'])
    expect(inbox).toHaveLength(before + 1)
    const page = await (await fetch(`${url}?notice=sent`, { headers: { authorization } })).text()
    expect(page).toContain('Your mail is on its way.')
    expect(page).toContain('Grüße Bcc: x')
    expect((await write({ to: 'nobody', subject: '', text: '' })).headers.get('location')).toBe('./?notice=unknown')
    const foreign = await write({ to: 'bob', subject: 'x', text: 'x' }, { 'Sec-Fetch-Site': 'cross-site' })
    expect(foreign.status).toBe(403)
    expect((await write({ to: 'bob', subject: 'x', text: 'x'.repeat(70_000) })).status).toBe(413)
    expect(inbox).toHaveLength(before + 1)
  })
})

test('the demo authority issues a certificate for names and addresses that is good now', async () => {
  const { caPem, certificatePem, keyPem } = await createDemoCa(['mail.example.test', '127.0.0.1'])
  const [ca, leaf] = [new X509Certificate(caPem), new X509Certificate(certificatePem)]
  expect(leaf.verify(ca.publicKey)).toBe(true)
  expect(leaf.checkHost('mail.example.test')).toBe('mail.example.test')
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(leaf.checkPrivateKey(createPrivateKey(keyPem))).toBe(true)
  expect(ca.ca).toBe(true)
})
