// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type Dovecot, findProgram, type Postfix, startDovecot, startPostfix } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt, copiesOf } from '../lib/arrival.js'
import { succeed } from '../lib/clients.js'
import { type LazyMta, startLazyMta } from '../lib/lazy-mta.js'
import { OctetClient } from '../lib/octet-client.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { peakGrowth } from '../lib/process-memory.js'
import { eventually, scenario } from '../lib/scenario.js'

const MIB = 1024 ** 2
/** What a worker may need for one message, whatever its size. */
const BOUND = 48 * MIB
const LINE = `${'x'.repeat(72)}\r\n`
const BLOCK = Buffer.from(LINE.repeat(1_000))

scenario('large messages and many at once', { programs: ['dovecot', 'postfix', 'smtp-source'], root: true }, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let lazy: LazyMta
  let portico: Portico<'smtp'>

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alicepw', large: 'largepw', many: 'manypw' } })
    postfix = await startPostfix({
      lmtpPort: dovecot.ports.lmtp,
      extra: 'message_size_limit = 0\ndefault_process_limit = 250',
    })
    lazy = await startLazyMta()
    const group = (port: number) => ({
      identity: 'none',
      pool: { warm: 0 },
      smtp: { endpoints: [`127.0.0.1:${port}`] },
    })
    portico = await startPortico({
      listeners: { smtp: { protocol: 'smtp', tls: 'none', connector: 'inbound' } },
      users: ['alice:::::::group=mta', 'large:::::::group=mta', 'many:::::::group=mta', 'lazy:::::::group=lazy'],
      backends: { mta: group(postfix.port), lazy: group(lazy.port) },
      more: {
        // Postfix starts a process for each of two hundred connections. All come from one address, and a sender opens the next one
        // before the end of the last has been seen here.
        limits: { connect: '90s', openBackend: '90s', connectionsPerAddress: 1_000 },
        smtp: { connectors: { inbound: { domains: ['test.lan'], maxSize: '200MiB' } } },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await lazy?.[Symbol.asyncDispose]()
    await postfix?.stop()
    await dovecot?.stop()
  })

  /** A session with a recipient. */
  async function envelope(user: string): Promise<OctetClient> {
    const client = await OctetClient.plain(portico.ports.smtp)
    await client.linesTo('220 ')
    for (const command of ['EHLO client.example', 'MAIL FROM:<carol@example.org>', `RCPT TO:<${user}@test.lan>`]) {
      await client.send(`${command}\r\n`)
      await client.linesTo('250 ')
    }
    return client
  }
  /** A session that has begun a message, up to and with the blank line after its header section. */
  async function begin(user: string, subject: string): Promise<OctetClient> {
    const client = await envelope(user)
    await client.send('DATA\r\n')
    await client.linesTo('354 ')
    await client.send(`Subject: ${subject}\r\n\r\n`)
    return client
  }
  async function sendBody(client: OctetClient, octets: number): Promise<void> {
    for (let sent = 0; sent < octets; sent += BLOCK.length) await client.send(BLOCK)
  }
  async function finish(client: OctetClient): Promise<string | undefined> {
    await client.send('.\r\n')
    return client.line()
  }
  const nothingCame = async (subject: string): Promise<void> => {
    await postfix.settled()
    expect(await copiesOf([dovecot], 'alice', subject)).toEqual([])
  }

  test('100 MB arrive whole, and no worker grows by more than a message of any size may cost', async () => {
    const growth = await peakGrowth(portico.workers, async () => {
      const client = await begin('large', 'hundred')
      await sendBody(client, 100 * MIB)
      expect(await finish(client)).toMatch(/^250 /)
      client.destroy()
    })
    expect(growth).toBeLessThan(BOUND)
    const { text } = await arrivedAt([dovecot], 'large', 'hundred')
    const body = text.slice(text.indexOf('\n\n') + 2)
    expect(body.length).toBeGreaterThanOrEqual(100 * MIB * (73 / 74))
    expect(sha256(body)).toBe(
      sha256(
        'x'
          .repeat(72)
          .concat('\n')
          .repeat(body.length / 73),
      ),
    )
  })

  test('the same in chunks of a mebibyte (BDAT), each answered', async () => {
    const CHUNKS = 40
    const chunk = Buffer.from(LINE.repeat(Math.floor(MIB / LINE.length)))
    const growth = await peakGrowth(portico.workers, async () => {
      const client = await envelope('large')
      const header = 'Subject: in chunks\r\n\r\n'
      await client.send(`BDAT ${header.length}\r\n${header}`)
      expect(await client.line()).toMatch(/^250 /)
      for (let sent = 0; sent < CHUNKS; sent += 1) {
        await client.send(`BDAT ${chunk.length}\r\n`)
        await client.send(chunk)
        expect(await client.line()).toMatch(/^250 /)
      }
      await client.send('BDAT 0 LAST\r\n')
      expect(await client.line()).toMatch(/^250 /)
      client.destroy()
    })
    expect(growth).toBeLessThan(BOUND)
    const { text } = await arrivedAt([dovecot], 'large', 'in chunks')
    expect(text.length - text.indexOf('\n\n') - 2).toBe((CHUNKS * chunk.length * 73) / 74)
  })

  describe('the client is gone in the middle: nothing is delivered', () => {
    const reset = (client: OctetClient): void => client.destroy()
    const fin = (client: OctetClient): void => client.fin()
    test.each([
      ['DATA', 'reset', reset],
      ['DATA', 'its side closed', fin],
      ['a chunk', 'reset', reset],
      ['a chunk', 'its side closed', fin],
    ])('of %s, %s', async (what, how, leave) => {
      const subject = `gone from ${what} by ${how}`
      const chunks = what !== 'DATA'
      const client = chunks ? await envelope('alice') : await begin('alice', subject)
      if (chunks) await client.send(`BDAT ${16 * MIB} LAST\r\nSubject: ${subject}\r\n\r\n`)
      await sendBody(client, 8 * MIB)
      const seen = lostConnections(postfix)
      leave(client)
      await eventually(() => expect(lostConnections(postfix)).toBeGreaterThan(seen))
      client.destroy()
      await nothingCame(subject)
    })
  })

  describe('the backend is gone in the middle: the client is told to come again, and nothing is delivered', () => {
    test('it closes the connection', async () => {
      const before = lazy.accepted
      lazy.dropAfter(MIB)
      const client = await begin('lazy', 'dropped')
      await sendBody(client, 8 * MIB)
      expect(await finish(client)).toMatch(/^4\d\d /)
      client.destroy()
      expect(lazy.accepted).toBe(before)
    })

    test('Postfix’s process is killed', async () => {
      const client = await begin('alice', 'killed')
      await sendBody(client, 8 * MIB)
      const busy = childrenOf(postfix.pid, 'smtpd')
      expect(busy).not.toEqual([])
      for (const pid of busy) process.kill(pid, 'SIGKILL')
      await sendBody(client, MIB)
      expect(await finish(client)).toMatch(/^4\d\d /)
      client.destroy()
      await nothingCame('killed')
    })
  })

  test('a backend that reads slowly stops the client, and nothing is held in between', async () => {
    const before = lazy.accepted
    lazy.stopAfter(MIB)
    let sent = 0
    const growth = await peakGrowth(portico.workers, async () => {
      const client = await begin('lazy', 'slow')
      const sending = (async () => {
        for (; sent < 60 * MIB; sent += BLOCK.length) await client.send(BLOCK)
        return finish(client)
      })()
      await untilItStops(() => sent)
      // The rest lies in the buffers of four sockets.
      expect(sent).toBeLessThan(40 * MIB)
      lazy.goOn()
      expect(await sending).toMatch(/^250 /)
      client.destroy()
    })
    expect(lazy.accepted).toBe(before + 1)
    expect(growth).toBeLessThan(BOUND)
  })

  test('a client that reads no replies is not read from, and gets them all when it reads again', async () => {
    const COUNT = 250_000
    const client = await OctetClient.plain(portico.ports.smtp)
    await client.linesTo('220 ')
    let sent = 0
    // About as long as its reply.
    const commands = Buffer.from(`VRFY ${'x'.repeat(64)}\r\n`.repeat(1_000))
    const growth = await peakGrowth(portico.workers, async () => {
      const sending = (async () => {
        for (; sent < COUNT; sent += 1_000) await client.send(commands)
        await client.send('QUIT\r\n')
      })()
      await untilItStops(() => sent)
      expect(sent).toBeLessThan(COUNT)
      const rest = (await client.rest()).toString('latin1')
      await sending
      expect(rest.match(/^252 /gm)?.length).toBe(COUNT)
    })
    expect(growth).toBeLessThan(BOUND)
    client.destroy()
  })

  test('two hundred sessions at once: every message arrives', async () => {
    const args = ['-s', '200', '-m', '500', '-l', '4096', '-f', 'carol@example.org', '-t', 'many@test.lan']
    await succeed(findProgram('smtp-source') ?? '', [...args, `127.0.0.1:${portico.ports.smtp}`])
    await postfix.settled()
    expect(await dovecot.mailOf('many', 500)).toHaveLength(500)
  })
})

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

const lostConnections = (postfix: Postfix): number => postfix.log().split(/lost connection after (?:DATA|BDAT)/).length

/** Until a count has not grown for half a second. */
async function untilItStops(count: () => number): Promise<void> {
  for (let last = -1; count() !== last; ) {
    last = count()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Processes with this name that a process has started. */
function childrenOf(parent: number, name: string): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && isChild(entry, parent, name))
    .map(Number)
}

function isChild(entry: string, parent: number, name: string): boolean {
  try {
    const [, command, ppid] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? []
    return command === name && Number(ppid) === parent
  } catch {
    return false
  }
}
