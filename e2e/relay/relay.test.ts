// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Dovecot, startDovecot, testCertificates } from '@portico/testkit'
import { ImapFlow } from 'imapflow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigMessage } from '../lib/big-message.js'
import { append, ask, beginFetch, endFetch, fetchHash, Kept, signInImap } from '../lib/imap-octets.js'
import { OctetClient } from '../lib/octet-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const MAIL = 'From: carol@test.lan\r\nSubject: news\r\n\r\nnews\r\n'
const IDLE_MS = 6_000
const USERS = { alice: 'alicepw', bob: 'bobpwpw', carol: 'carolpw' } as const

scenario('what is relayed between clients and a real Dovecot', { programs: ['dovecot', 'openssl'], root: true }, () => {
  let dovecot: Dovecot
  let portico: Portico<'imap' | 'imaps' | 'pop3' | 'pop3s'>
  /** The same, with an idle limit that a test can wait for. */
  let impatient: typeof portico

  beforeAll(async () => {
    dovecot = await startDovecot({
      users: USERS,
      extra: `
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
  imap_idle_notify_interval = 1s
}
`,
    })
    const tls = { mode: 'implicit', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    const { imap, imaps, pop3, pop3s } = dovecot.ports
    const plan = {
      listeners: {
        imap: { protocol: 'imap4', tls: 'none', plaintextPasswords: 'always' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'none', plaintextPasswords: 'always' },
        pop3s: { protocol: 'pop3', tls: 'implicit' },
      } as const,
      users: Object.entries(USERS).map(
        ([name, password]) => `${name}:{PLAIN}${password}::::::group=${name === 'bob' ? 'secure' : 'clear'}`,
      ),
      backends: {
        clear: { imap4: { endpoints: [`127.0.0.1:${imap}`] }, pop3: { endpoints: [`127.0.0.1:${pop3}`] } },
        secure: { imap4: { endpoints: [`127.0.0.1:${imaps}`], tls }, pop3: { endpoints: [`127.0.0.1:${pop3s}`], tls } },
      },
    }
    portico = await startPortico(plan)
    impatient = await startPortico({ ...plan, more: { limits: { idle: `${IDLE_MS}ms` } } })
  })
  afterAll(async () => {
    await Promise.all([portico?.stop(), impatient?.stop()])
    await dovecot?.stop()
  })

  const ways: readonly [string, keyof typeof USERS, () => Promise<OctetClient>, () => Promise<OctetClient>][] = [
    ['plain', 'alice', () => OctetClient.plain(portico.ports.imap), () => OctetClient.plain(portico.ports.pop3)],
    ['TLS', 'bob', () => OctetClient.tls(portico.ports.imaps), () => OctetClient.tls(portico.ports.pop3s)],
  ]

  describe.each(ways)('%s on both legs', (_kind, user, connectImap, connectPop3) => {
    const imap = async (): Promise<OctetClient> => {
      const client = await connectImap()
      await signInImap(client, user, USERS[user])
      return client
    }

    test('50 MB go up and come back octet by octet', async () => {
      const { octets, sha256 } = bigMessage(50 * 1024 * 1024)
      const client = await imap()
      await ask(client, 'a1', 'CREATE big')
      await append(client, 'a2', 'big', octets)
      await ask(client, 'a3', 'SELECT big')
      expect(await fetchHash(client, 'a4', '1 BODY.PEEK[]')).toBe(sha256)
      client.destroy()
    })

    test('COMPRESS=DEFLATE: both directions are compressed, and 8-bit mail comes back as it went (RFC 4978)', async () => {
      const { octets, sha256 } = bigMessage(2 * 1024 * 1024)
      const client = await imap()
      expect((await ask(client, 'a1', 'CAPABILITY')).join()).toContain('COMPRESS=DEFLATE')
      await ask(client, 'a2', 'COMPRESS DEFLATE')
      client.compress()
      await ask(client, 'a3', 'CREATE compressed')
      await append(client, 'a4', 'compressed', octets)
      await ask(client, 'a5', 'SELECT compressed')
      expect(await fetchHash(client, 'a6', '1 BODY.PEEK[]')).toBe(sha256)
      await ask(client, 'a7', 'LOGOUT')
      expect(await client.line()).toBeUndefined()
    })

    test('BINARY: a decoded attachment with every octet there is (RFC 3516)', async () => {
      const attachment = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(100_000)])
      const encoded = (attachment.toString('base64').match(/.{1,76}/g) ?? []).join('\r\n')
      const head = 'Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n'
      const message = Buffer.from(`${head}Content-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`)
      const client = await imap()
      await ask(client, 'a1', 'CREATE binary')
      await append(client, 'a2', 'binary', message)
      await ask(client, 'a3', 'SELECT binary')
      const kept = new Kept()
      const length = await beginFetch(client, 'a4', '1 BINARY.PEEK[1]')
      await client.take(length, kept)
      await endFetch(client, 'a4')
      expect(kept.octets.equals(attachment)).toBe(true)
      client.destroy()
    })

    test('IDLE is not cut while news come, however long the client is silent (RFC 2177)', async () => {
      const { ports } = impatient
      const client = await (user === 'bob' ? OctetClient.tls(ports.imaps) : OctetClient.plain(ports.imap))
      await signInImap(client, user, USERS[user])
      await ask(client, 'a1', 'SELECT INBOX')
      await client.send('a2 IDLE\r\n')
      expect(await client.line()).toMatch(/^\+ /)
      // Dovecot says every second that it is still there.
      for (const began = performance.now(); performance.now() - began < 2 * IDLE_MS; )
        expect(await client.line()).toMatch(/^\* OK Still here/)
      dovecot.deliver(user, MAIL)
      await client.linesTo('* 1 EXISTS')
      await client.send('DONE\r\n')
      expect((await client.linesTo('a2 ')).at(-1)).toMatch(/^a2 OK/)
      // Now both are silent.
      const silent = performance.now()
      expect(await client.line()).toBeUndefined()
      expect(performance.now() - silent).toBeGreaterThanOrEqual(IDLE_MS - 500)
    })

    test('mailbox names that need quoting or modified UTF-7 (RFC 3501 section 5.1.3)', async () => {
      const names = ['&AOQ-pfel', 'with space', '"', '100%', 'a&-b', '&U,BTFw-', '\\\\back'].map((name) => `n${name}`)
      const client = await imap()
      for (const [index, name] of names.entries()) {
        const written = `"${name.replaceAll('\\\\', '\\').replace(/["\\]/g, '\\$&')}"`
        await ask(client, `c${index}`, `CREATE ${written}`)
        await append(client, `p${index}`, written, Buffer.from(`Subject: ${index}\r\n\r\n${index}\r\n`))
        expect((await ask(client, `s${index}`, `STATUS ${written} (MESSAGES)`)).join()).toContain('MESSAGES 1')
        await client.send(`l${index} STATUS {${unquoted(written).length}}\r\n`)
        expect(await client.line()).toMatch(/^\+ /)
        await client.send(`${unquoted(written)} (MESSAGES)\r\n`)
        expect((await client.linesTo(`l${index} `)).join()).toContain('MESSAGES 1')
      }
      client.destroy()
    })

    test('100 commands and a FIN in one go: every answer comes before the end, for IMAP4', async () => {
      const client = await connectImap()
      const commands = Array.from(
        { length: 100 },
        (_, index) => `p${index} ${['NOOP', 'LIST "" *', 'STATUS INBOX (MESSAGES)'][index % 3]}\r\n`,
      )
      await client.send(`a0 LOGIN ${user} ${USERS[user]}\r\n${commands.join('')}`)
      client.fin()
      const said = (await client.rest()).toString('latin1')
      const answered = [...said.matchAll(/^(p\d+) OK/gm)].map(([, tag]) => tag)
      expect(answered).toEqual(commands.map((_, index) => `p${index}`))
    })

    test('100 commands and a FIN in one go: every answer comes before the end, for POP3', async () => {
      const client = await connectPop3()
      const commands = Array.from({ length: 100 }, (_, index) => `${['NOOP', 'STAT', 'NOOP'][index % 3]}\r\n`)
      await client.send(`USER ${user}\r\nPASS ${USERS[user]}\r\n${commands.join('')}`)
      client.fin()
      const said = (await client.rest()).toString('latin1')
      // Greeting, USER and PASS have theirs as well.
      expect(said.match(/^\+OK[^\r\n]*\r\n/gm)).toHaveLength(103)
    })
  })

  test('imapflow makes, fills, lists and reads mailboxes with odd names', async () => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: portico.ports.imaps,
      secure: true,
      auth: { user: 'bob', pass: USERS.bob },
      logger: false,
      tls: { ca: testCertificates().ca.certificate, servername: 'localhost' },
    })
    await client.connect()
    const names = ['Größe & Co', 'zwei  Leerzeichen', '日本語', 'pro%zent', 'quo"te']
    for (const name of names) {
      await client.mailboxCreate(name)
      await client.append(name, `Subject: ${name.length}\r\n\r\nhi\r\n`)
      const lock = await client.getMailboxLock(name)
      const message = await client.fetchOne('1', { envelope: true })
      lock.release()
      expect(message === false ? undefined : message.envelope?.subject).toBe(String(name.length))
    }
    expect((await client.list()).map(({ path }) => path)).toEqual(expect.arrayContaining(names))
    await client.logout()
  })

  test('fifty clients that do not read what they asked for cost the workers little memory', async () => {
    const { octets, sha256 } = bigMessage(20 * 1024 * 1024)
    const first = await OctetClient.tls(portico.ports.imaps)
    await signInImap(first, 'carol', USERS.carol)
    await append(first, 'a1', 'INBOX', octets)
    await ask(first, 'a2', 'SELECT INBOX')
    expect(await fetchHash(first, 'a3', '1 BODY.PEEK[]')).toBe(sha256)
    const clients = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const client = await OctetClient.tls(portico.ports.imaps)
        await signInImap(client, 'carol', USERS.carol)
        await ask(client, 'a1', 'SELECT INBOX')
        return client
      }),
    )
    const before = workerMemory(portico)
    await Promise.all(clients.map((client) => client.send('a2 FETCH 1 BODY.PEEK[]\r\n')))
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const grown = workerMemory(portico) - before
    // Each may hold what a writer may queue and a read more; it was asked for a gigabyte altogether.
    expect(grown).toBeLessThan(96 * 1024 * 1024)
    const hash = createHash('sha256')
    const last = clients.at(-1)
    const length = Number(/\{(\d+)\}$/.exec((await last?.linesTo('* 1 FETCH'))?.at(-1) ?? '')?.[1])
    await last?.take(length, hash)
    expect(hash.digest('hex')).toBe(sha256)
    for (const client of [first, ...clients]) client.destroy()
    await eventually(() => expect(portico.sessions().filter(({ user }) => user === 'carol')).toHaveLength(51))
  })
})

function unquoted(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, '$1')
}

/** Resident octets of all workers. */
function workerMemory(portico: Portico): number {
  return portico.workers.reduce((sum, pid) => sum + residentOf(pid), 0)
}

function residentOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
