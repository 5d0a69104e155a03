// SPDX-License-Identifier: MIT
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAULTS, PROTOCOLS, type ProtocolName } from '../lib/fake-backends.js'
import { type FaultStage, get, OPEN_BACKEND_MS, signIn, startFaultStage } from '../lib/fault-stage.js'
import type { LineClient } from '../lib/line-client.js'
import { scenario } from '../lib/scenario.js'

/** What the client is told when the backend cannot be had. */
const UNAVAILABLE: Readonly<Record<ProtocolName, RegExp>> = {
  imap4: /^a1 NO \[UNAVAILABLE\] [^\r\n]*\r\n$/,
  pop3: /^-ERR \[SYS\/TEMP\] [^\r\n]*\r\n$/,
  smtp: /^454 4\.7\.0 [^\r\n]*\r\n$/,
  http: /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: \d+\r\n/i,
}
/** Over HTTP a backend that took the request and then failed is told apart (RFC 9110 sections 15.6.3 and 15.6.5). */
const AFTER_THE_REQUEST: Readonly<Record<string, RegExp>> = {
  closes: /^HTTP\/1\.1 502 /,
  garbage: /^HTTP\/1\.1 502 /,
  hangs: /^HTTP\/1\.1 504 /,
}
const GOOD: Readonly<Record<ProtocolName, RegExp>> = {
  imap4: /^a1 OK/m,
  pop3: /^\+OK/,
  smtp: /^250 /,
  http: /^HTTP\/1\.1 200 [\s\S]*hello$/,
}
const STILL_WORKS: Readonly<Record<ProtocolName, readonly [string, RegExp]>> = {
  imap4: ['n1 NOOP', /^n1 OK NOOP done\r\n$/],
  pop3: ['NOOP', /^\+OK done\r\n$/],
  smtp: ['RSET', /^250 /],
  http: [get('none'), /hello$/],
}

scenario('backends that fail', { programs: [] }, () => {
  let stage: FaultStage
  const neighbours = new Map<ProtocolName, LineClient>()

  beforeAll(async () => {
    stage = await startFaultStage()
    for (const protocol of PROTOCOLS) {
      const { client, answer } = await signIn(stage, protocol, 'none')
      expect(protocol === 'http' ? answer + (await client.until(/(?:)/)) : answer).toMatch(GOOD[protocol])
      neighbours.set(protocol, client)
    }
  })
  afterAll(async () => {
    for (const client of neighbours.values()) client.destroy()
    await stage?.[Symbol.asyncDispose]()
  })

  describe.each(PROTOCOLS)('%s', (protocol) => {
    test.each(FAULTS.filter((fault) => fault !== 'none' && fault !== 'dies'))(
      'the backend %s: the client is told in time, and the neighbours’ sessions go on',
      async (fault) => {
        const began = performance.now()
        const { client, answer } = await signIn(stage, protocol, fault)
        expect(answer).toMatch((protocol === 'http' && AFTER_THE_REQUEST[fault]) || UNAVAILABLE[protocol])
        expect(performance.now() - began).toBeLessThan(OPEN_BACKEND_MS + 10_000)
        client.destroy()
        await neighboursWork()
      },
    )

    test('the backend dies in the middle of a session: its client learns of it, the neighbours’ sessions go on', async () => {
      const { client, answer } = await signIn(stage, protocol, 'dies')
      if (protocol === 'http') expect(answer).toMatch(/^HTTP\/1\.1 502 /)
      else {
        expect(answer).toMatch(GOOD[protocol])
        await dieInTheMiddle(protocol, client)
      }
      client.destroy()
      await neighboursWork()
    })
  })

  async function neighboursWork(): Promise<void> {
    for (const [protocol, client] of neighbours) {
      const [command, pattern] = STILL_WORKS[protocol]
      expect(await client.ask(command, pattern)).toMatch(pattern)
    }
  }

  test('no password is in any log line', () => {
    expect(stage.log.lines.join('\n')).not.toMatch(/Basic |AG5vbmUAcHc/)
  })
})

async function dieInTheMiddle(protocol: Exclude<ProtocolName, 'http'>, client: LineClient): Promise<void> {
  if (protocol === 'imap4') client.send('s1 SELECT INBOX\r\n')
  if (protocol === 'pop3') client.send('STAT\r\n')
  // Nothing of ours may be put into a conversation that belongs to the backend.
  if (protocol !== 'smtp') return expect(await client.end()).toBe('')
  expect(await client.ask('DATA', /\r\n/)).toMatch(/^354 /)
  const verdict = await client.ask('Subject: x\r\n\r\nhello\r\n.', /\r\n/)
  expect(verdict).toMatch(/^4\d\d 4\.\d\.\d /)
}
