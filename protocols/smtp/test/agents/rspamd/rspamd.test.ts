// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@portico/base'
import { requireServer, startRspamd } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type { AgentSession, DataEndFacts } from '../../../src/agents/agent.js'
import { Marks } from '../../../src/agents/marks.js'
import { rspamd } from '../../../src/agents/rspamd/rspamd.js'
import { GO, type Verdict } from '../../../src/agents/run-agents.js'
import { editHeader, parseHeader } from '../../../src/message/header-fields.js'
import { disposables, kept, made, recipient, stage } from '../support.js'

function facts(text: string): DataEndFacts {
  return {
    envelope: {
      sender: recipient('eve@far.example'),
      recipients: [recipient('alice@test.lan'), recipient('bob@test.lan')],
    },
    fields: parseHeader(Buffer.from(text), 'plain'),
    notes: new Marks(),
    message: kept(text),
  }
}

const CLIENT: Partial<AgentSession> = { hello: { kind: 'ehlo', domain: 'pc.far.example' }, user: 'alice' }

/** What the agent comes to about a text, asked at a URL. */
async function judged(url: string, text: string, written: object = {}) {
  using kept = disposables()
  const agent = made(rspamd, { url, ...written }, { clock: systemClock, disposeWhenRetired: (one) => kept.add(one) })
  const { run, lines } = stage([agent], CLIENT)
  return { verdict: await run.ask('dataEnd', facts(text)), lines }
}

function headerAfter(verdict: Verdict, text: string): string {
  if (verdict.kind !== 'go') return verdict.kind
  const section = Buffer.from(text.slice(0, text.indexOf('\r\n\r\n') + 4))
  return Buffer.concat(editHeader(section, parseHeader(section, 'plain'), verdict.edits, 'plain')).toString()
}

async function service(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    answer(request, body, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/checkv2`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const MAIL = `From: eve@far.example\r\nSubject: hi\r\n\r\n${'Hello\r\n'.repeat(500)}`
const NO_ACTION = JSON.stringify({ action: 'no action', score: 0.5 })

describe('the question', () => {
  test('is the message as it came, with what is known of it in header fields', async () => {
    const asked: { head: string[]; body: string }[] = []
    await using far = await service((request, body, response) => {
      asked.push({ head: request.rawHeaders, body })
      response.end(NO_ACTION)
    })
    expect((await judged(far.url, MAIL)).verdict).toMatchObject({ kind: 'go' })
    expect(asked).toHaveLength(1)
    expect(asked[0]?.body).toBe(MAIL)
    const head = asked[0]?.head.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []))
    expect(head?.slice(2)).toEqual([
      `Content-Length: ${MAIL.length}`,
      'IP: 192.0.2.7',
      'Helo: pc.far.example',
      'From: eve@far.example',
      'Rcpt: alice@test.lan',
      'Rcpt: bob@test.lan',
      'User: alice',
      'Queue-Id: s1',
      'MTA-Name: portico.test.lan',
    ])
  })

  test('is not asked about what is too large', async () => {
    let asked = 0
    await using far = await service((_request, _body, response) => {
      asked += 1
      response.end(NO_ACTION)
    })
    expect((await judged(far.url, MAIL, { maxSize: '3KiB' })).verdict).toEqual(GO)
    expect(asked).toBe(0)
  })
})

describe('without an answer that can be read', () => {
  test.each([
    ['another status', (response: ServerResponse) => response.writeHead(500).end('{}')],
    ['no JSON', (response: ServerResponse) => response.end('<html>')],
    ['a connection that ends', (response: ServerResponse) => response.destroy()],
    ['too much of it', (response: ServerResponse) => response.end(`{"x":"${'x'.repeat(1_100_000)}"}`)],
  ])('%s: the message goes on, or comes later, as the site wants it', async (_label, say) => {
    await using far = await service((_request, _body, response) => void say(response))
    const passed = await judged(far.url, MAIL)
    expect(passed.verdict).toEqual(GO)
    expect(passed.lines).toEqual([expect.objectContaining({ message: 'an agent gave no answer', why: 'failed' })])
    const deferred = await judged(far.url, MAIL, { whenAway: 'tempfail' })
    expect(deferred.verdict).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
  })

  test('nobody listens', async () => {
    const { url } = await (async () => {
      await using far = await service(() => {})
      return far
    })()
    expect((await judged(url, MAIL)).verdict).toEqual(GO)
  })
})

/** The pattern that every filter takes for spam (https://spamassassin.apache.org/gtube/), put together here so that no scanner finds it. */
const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', '*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*', 'C.34X'].join('')

function mail(score: number | undefined, body = 'Hello'): string {
  const said = score === undefined ? '' : `X-Test-Score: ${score}\r\n`
  return `From: eve@far.example\r\nTo: alice@test.lan\r\nSubject: hi\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@far.example>\r\nX-Spam: no\r\n${said}\r\n${body}\r\n`
}

test.skipIf(requireServer('rspamd') !== undefined)(
  'rspamd itself: spam is refused in its words, doubtful mail is marked, other mail passes',
  async () => {
    await using server = await startRspamd()
    const url = `http://127.0.0.1:${server.port}/checkv2`
    using kept = disposables()
    const agent = made(rspamd, { url }, { clock: systemClock, disposeWhenRetired: (one) => kept.add(one) })
    const { run } = stage([agent], CLIENT)
    const ask = (text: string) => run.ask('dataEnd', facts(text))

    expect(await ask(mail(undefined, GTUBE))).toMatchObject({
      kind: 'refuse',
      reply: { code: 554, enhanced: '5.7.1', lines: ['Gtube pattern'] },
    })
    expect(await ask(mail(20))).toMatchObject({ kind: 'refuse', reply: { code: 554, enhanced: '5.7.1' } })

    const plain = mail(undefined)
    expect(headerAfter(await ask(plain), plain)).not.toContain('X-Spam')
    const doubtful = mail(7)
    expect(headerAfter(await ask(doubtful), doubtful)).toMatch(/^X-Spam: yes\r\nX-Spam-Score: 7\.00\r\nFrom: /)
    const worse = mail(9)
    expect(headerAfter(await ask(worse), worse)).toMatch(/^X-Spam: yes\r\nX-Spam-Score: 9\.00\r\n/)
    const rather = mail(5)
    expect(headerAfter(await ask(rather), rather)).not.toContain('X-Spam')
    const log = server.log()
    expect(log).toContain('192.0.2.7')
    expect(log).toContain('eve@far.example')
    expect(log).toContain('alice@test.lan')
  },
  60_000,
)
