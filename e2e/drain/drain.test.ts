// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Dovecot, launch, type RunningServer, startDovecot, testCertificates } from '@portico/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bigMessage } from '../lib/big-message.js'
import { append, ask, beginFetch, endFetch, fetchHash, Kept, signInImap } from '../lib/imap-octets.js'
import { LineClient } from '../lib/line-client.js'
import { OctetClient } from '../lib/octet-client.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

/** Where a test waits for it, and where it must not come. */
const [SOON_MS, LATE_MS] = [15_000, 300_000]
const MIB = 1024 * 1024
const BYE = '* BYE [UNAVAILABLE] The server is going down, please connect again'

scenario('a node that leaves, in front of a real Dovecot', { programs: ['dovecot', 'openssl'], root: true }, () => {
  const big = bigMessage(50 * MIB)
  /** As POP3 shows it: no line of it begins with a dot. */
  const popBig = Buffer.concat([big.octets, Buffer.from('.\r\n')])
  let dovecot: Dovecot
  let portico: Portico<'imap' | 'imaps' | 'pop3' | 'pop3s'>
  const clients: OctetClient[] = []

  beforeAll(async () => {
    dovecot = await startDovecot({
      users: { alice: 'alicepw' },
      extra: 'mail_plugins = zlib\nprotocol imap {\n  mail_plugins = zlib imap_zlib\n}\n',
    })
    const direct = await OctetClient.plain(dovecot.ports.imap)
    await signInImap(direct, 'alice', 'alicepw')
    await append(direct, 'a1', 'INBOX', big.octets)
    direct.destroy()
  })
  afterAll(async () => dovecot?.stop())

  const start = async (drain: string): Promise<void> => {
    const tls = { mode: 'implicit', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    portico = await startPortico({
      listeners: {
        imap: { protocol: 'imap4', tls: 'none', plaintextPasswords: 'always' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'none', plaintextPasswords: 'always' },
        pop3s: { protocol: 'pop3', tls: 'implicit' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=mbx'],
      backends: {
        mbx: {
          imap4: { endpoints: [`127.0.0.1:${dovecot.ports.imaps}`], tls },
          pop3: { endpoints: [`127.0.0.1:${dovecot.ports.pop3s}`], tls },
        },
      },
      more: { limits: { drain } },
    })
  }
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy()
    await portico?.stop()
  })

  const keep = (client: OctetClient): OctetClient => {
    clients.push(client)
    return client
  }
  const imap = async (secure: boolean): Promise<OctetClient> => {
    const client = keep(await (secure ? OctetClient.tls(portico.ports.imaps) : OctetClient.plain(portico.ports.imap)))
    await signInImap(client, 'alice', 'alicepw')
    return client
  }
  const pop3 = async (secure: boolean): Promise<OctetClient> => {
    const client = keep(await (secure ? OctetClient.tls(portico.ports.pop3s) : OctetClient.plain(portico.ports.pop3)))
    for (const command of ['', 'USER alice\r\n', 'PASS alicepw\r\n']) {
      await client.send(command)
      expect(await client.line()).toMatch(/^\+OK/)
    }
    return client
  }
  /** SIGTERM; returns when it was given, after nobody is let in any more. */
  const leave = async (): Promise<number> => {
    const began = performance.now()
    process.kill(portico.pid, 'SIGTERM')
    await eventually(async () => {
      for (const port of Object.values(portico.ports))
        await expect(LineClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })
    return began
  }
  /** Sessions of alice's that ended because the node leaves. */
  const leavers = () => portico.sessions().filter(({ user, reason }) => user === 'alice' && reason === 'draining')
  const selected = async (client: OctetClient): Promise<OctetClient> => {
    await ask(client, 'a2', 'SELECT INBOX')
    return client
  }
  const compressedImap = async (secure: boolean): Promise<OctetClient> => {
    const client = await imap(secure)
    await ask(client, 'a1', 'COMPRESS DEFLATE')
    client.compress()
    return selected(client)
  }

  describe.each([
    ['plain', false],
    ['TLS', true],
  ] as const)('%s', (_kind, secure) => {
    test('a FETCH of 50 MB comes whole, then the goodbye, and a new process serves who comes meanwhile', async () => {
      await start(`${LATE_MS}ms`)
      const client = await selected(await imap(secure))
      const hash = createHash('sha256')
      const length = await beginFetch(client, 'a3', '1 BODY.PEEK[]')
      await client.take(5 * MIB, hash)
      await leave()
      await using successor = await startAnew(portico)
      const later = await imap(secure)
      await ask(later, 'b1', 'NOOP')
      expect(await client.take(length - 5 * MIB, hash)).toBe(length - 5 * MIB)
      expect(hash.digest('hex')).toBe(big.sha256)
      await endFetch(client, 'a3')
      expect((await client.rest()).toString('latin1')).toBe(`${BYE}\r\n`)
      await eventually(() => expect(leavers()).toHaveLength(1))
      await ask(later, 'b2', 'NOOP')
      expect(successor.pid).not.toBe(portico.pid)
    })

    test('a RETR and a compressed FETCH come whole, and nobody says a word to their clients', async () => {
      await start(`${LATE_MS}ms`)
      const pop = await pop3(secure)
      await pop.send('RETR 1\r\n')
      expect(await pop.line()).toMatch(/^\+OK/)
      const retrieved = new Kept()
      await pop.take(MIB, retrieved)
      const compressed = await compressedImap(secure)
      const hash = createHash('sha256')
      const length = await beginFetch(compressed, 'a3', '1 BODY.PEEK[]')
      await compressed.take(MIB, hash)
      await leave()
      await Promise.all([
        pop.take(popBig.length - MIB, retrieved),
        compressed.take(length - MIB, hash).then(() => endFetch(compressed, 'a3')),
      ])
      expect(retrieved.octets.equals(popBig)).toBe(true)
      expect(hash.digest('hex')).toBe(big.sha256)
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      await pop.send('QUIT\r\n')
      expect(await pop.line()).toMatch(/^\+OK/)
      // Were anything but compressed octets of Dovecot's to come, the decompression would fail.
      await ask(compressed, 'a4', 'LOGOUT')
      expect([await pop.line(), await compressed.line()]).toEqual([undefined, undefined])
    })

    test('what is not read to its end in time is cut when the drain time is up, and has no foreign octet in it', async () => {
      await start(`${SOON_MS}ms`)
      const fetching = await selected(await imap(secure))
      const fetched = new Kept()
      expect(await beginFetch(fetching, 'a3', '1 BODY.PEEK[]')).toBe(big.octets.length)
      await fetching.take(5 * MIB, fetched)
      const pop = await pop3(secure)
      await pop.send('RETR 1\r\n')
      expect(await pop.line()).toMatch(/^\+OK/)
      const retrieved = new Kept()
      await pop.take(MIB, retrieved)
      const compressed = await compressedImap(secure)
      const began = await leave()
      expect((await compressed.rest()).toString('latin1')).toBe('')
      await eventually(() => expect(leavers()).toHaveLength(3))
      const passed = performance.now() - began
      expect(passed).toBeGreaterThanOrEqual(SOON_MS)
      expect(passed).toBeLessThan(SOON_MS + 30_000)
      for (const [client, kept, whole] of [
        [fetching, fetched, big.octets],
        [pop, retrieved, popBig],
      ] as const) {
        kept.update(await client.rest())
        expect(kept.octets.length).toBeLessThan(whole.length)
        expect(kept.octets.equals(whole.subarray(0, kept.octets.length))).toBe(true)
      }
    })
  })

  test('clients in IDLE and between commands are told goodbye, and the process is gone long before its time', async () => {
    await start(`${LATE_MS}ms`)
    const idling = await selected(await imap(true))
    await idling.send('a3 IDLE\r\n')
    expect(await idling.line()).toMatch(/^\+ /)
    const resting = await selected(await imap(false))
    await fetchHash(resting, 'a3', '1 BODY.PEEK[HEADER]')
    const stranger = keep(await OctetClient.plain(portico.ports.imap))
    expect(await stranger.line()).toMatch(/^\* OK/)
    const began = await leave()
    for (const client of [idling, resting, stranger]) {
      expect((await client.rest()).toString('latin1')).toBe(`${BYE}\r\n`)
      client.fin()
    }
    await portico.logged(/"message":"left"/)
    expect(performance.now() - began).toBeLessThan(LATE_MS)
  })

  test('a listener that a new configuration does not have lets its clients go, and nobody else is told', async () => {
    await start(`${LATE_MS}ms`)
    const going = await imap(false)
    const staying = await imap(true)
    const listeners = portico.config['listeners'] as readonly { readonly name: string }[]
    portico.rewrite({ ...portico.config, listeners: listeners.filter(({ name }) => name !== 'imap') })
    process.kill(portico.pid, 'SIGHUP')
    expect((await going.rest()).toString('latin1')).toBe(`${BYE}\r\n`)
    await expect(LineClient.connect(portico.ports.imap)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await ask(staying, 'a9', 'NOOP')
  })
})

/** Another process with the same configuration file, while the first one leaves. */
function startAnew(portico: Portico): Promise<RunningServer> {
  return launch({
    command: process.execPath,
    args: [PORTICO, 'serve', '--config', portico.configFile],
    folder: join(portico.folder, 'successor'),
    logFile: join(portico.folder, 'successor.log'),
    ports: Object.values(portico.ports),
  })
}
