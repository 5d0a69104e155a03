// SPDX-License-Identifier: MIT
import { type Dovecot, type Exim, type Postfix, startDovecot, startExim, startPostfix } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PoorMta, startPoorMta } from '../lib/poor-mta.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { sendRaw } from '../lib/raw-smtp.js'
import { scenario } from '../lib/scenario.js'
import { arrivals, FALSE_ENDS, smuggled, smuggledInChunks, smuggledInCommands } from '../lib/smuggling-forms.js'

const needs = { programs: ['dovecot', 'postfix', 'exim4', 'openssl'], root: true }
/** Each is the name of a group and of the only mailbox in it. */
const BACKENDS = ['lenient', 'normalizing', 'refusing', 'exim', 'poor'] as const
type Backend = (typeof BACKENDS)[number]

const mailbox = (backend: Backend): string => `${backend}@test.lan`
const HELLO = ['EHLO client.example']
const COMMANDS = Array.from({ length: 16 }, (_, number) => number)
const envelope = (backend: Backend): readonly string[] => [
  ...HELLO,
  'MAIL FROM:<carol@example.org>',
  `RCPT TO:<${mailbox(backend)}>`,
]

/** What came in addition. A mail folder lists its files in no order. */
function without(former: readonly string[], all: readonly string[]): readonly string[] {
  const rest = [...all]
  for (const text of former) {
    const place = rest.indexOf(text)
    if (place < 0) throw new Error('a message that was there is gone')
    rest.splice(place, 1)
  }
  return rest
}

scenario('a message within a message, in front of servers that would find it', needs, () => {
  let dovecot: Dovecot
  let postfixes: Readonly<Record<'lenient' | 'normalizing' | 'refusing', Postfix>>
  let exim: Exim
  let poor: PoorMta
  let ports: Readonly<Record<Backend, number>>
  let portico: Portico<'smtp'>

  beforeAll(async () => {
    dovecot = await startDovecot({ users: Object.fromEntries(BACKENDS.map((name) => [name, 'password'])) })
    const lmtpPort = dovecot.ports.lmtp
    // Postfix makes who says much nonsense wait.
    const extra = 'smtpd_error_sleep_time = 0'
    const [lenient, normalizing, refusing] = await Promise.all([
      startPostfix({ lmtpPort, extra }),
      startPostfix({ lmtpPort, extra, bareNewlines: 'normalize' }),
      startPostfix({ lmtpPort, extra, bareNewlines: 'reject' }),
    ])
    postfixes = { lenient, normalizing, refusing }
    // It would refuse what is sent before its 354, and a second message with it.
    exim = await startExim({ lmtpPort, users: { exim: 'password' }, extra: 'smtp_enforce_sync = false' })
    poor = await startPoorMta()
    ports = {
      lenient: lenient.port,
      normalizing: normalizing.port,
      refusing: refusing.port,
      exim: exim.port,
      poor: poor.port,
    }
    portico = await startPortico({
      listeners: { smtp: { protocol: 'smtp', tls: 'none', connector: 'inbound' } },
      users: BACKENDS.map((name) => `${name}:{PLAIN}password::::::group=${name}`),
      backends: Object.fromEntries(
        BACKENDS.map((name) => [name, { identity: 'none', smtp: { endpoints: [`127.0.0.1:${ports[name]}`] } }]),
      ),
      more: { smtp: { connectors: { inbound: { domains: ['test.lan'], tarpit: '0s' } } } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await poor?.[Symbol.asyncDispose]()
    await Promise.all([exim, ...Object.values(postfixes ?? {}), dovecot].map((server) => server?.stop()))
  })

  /** All messages that are at a backend, when it has nothing left to do. */
  async function mailAt(backend: Backend): Promise<readonly string[]> {
    if (backend === 'poor') return [...poor.messages]
    await (backend === 'exim' ? exim : postfixes[backend]).settled()
    return dovecot.mailOf(backend)
  }

  /** What each of so many sessions brought: the code of the reply at that place, and which messages arrived. */
  async function judge(
    backend: Backend,
    port: number,
    commands: readonly string[],
    texts: readonly string[],
    verdictAt = 0,
  ): Promise<readonly { readonly code: string | undefined; readonly one: number; readonly two: number }[]> {
    const before = await mailAt(backend)
    const runs = await Promise.all(texts.map((text) => sendRaw(port, commands, text)))
    const mail = without(before, await mailAt(backend))
    return runs.map((replies, number) => ({ code: replies[verdictAt]?.slice(0, 3), ...arrivals(mail, number) }))
  }
  const asData = (backend: Backend, lineEnd?: string): readonly string[] =>
    FALSE_ENDS.map((_end, number) => smuggled(number, mailbox(backend), lineEnd))

  describe('without Portico, so that the judgement is worth something', () => {
    test.each([
      ['lenient', '\r\n', 7],
      ['exim', '\n', 3],
      ['poor', '\r\n', FALSE_ENDS.length],
    ] as const)('%s finds a second message (first line ended by %j)', async (backend, lineEnd, atLeast) => {
      const seen = await judge(backend, ports[backend], [...envelope(backend), 'DATA'], asData(backend, lineEnd))
      expect(seen.filter(({ two }) => two > 0).length).toBeGreaterThanOrEqual(atLeast)
    })

    test.each(['lenient', 'poor'] as const)('%s takes commands that end otherwise', async (backend) => {
      const texts = COMMANDS.map((number) => smuggledInCommands(number, mailbox(backend)))
      const seen = await judge(backend, ports[backend], HELLO, texts)
      expect(seen.filter(({ one }) => one > 0).length).toBeGreaterThanOrEqual(4)
    })
  })

  describe.each(BACKENDS)('through Portico to %s', (backend) => {
    const through = (commands: readonly string[], texts: readonly string[], verdictAt?: number) =>
      judge(backend, portico.ports.smtp, [...envelope(backend), ...commands], texts, verdictAt)

    test.each(['\r\n', '\n'])('DATA, first line ended by %j: one message or none', async (lineEnd) => {
      for (const [number, { code, one, two }] of (await through(['DATA'], asData(backend, lineEnd))).entries()) {
        const form = JSON.stringify(FALSE_ENDS[number])
        expect([form, code, one, two]).toEqual([form, code, code === '250' ? 1 : 0, 0])
      }
    })

    test('BDAT: the end of DATA is text there, wherever the chunks are cut', async () => {
      const texts = [0, 1, 2, 3, 4, 5].map((cut) => smuggledInChunks(cut, mailbox(backend), cut))
      for (const seen of await through([], texts, 1)) expect(seen).toEqual({ code: '250', one: 1, two: 0 })
    })

    test('commands end with CRLF and nothing else: no message', async () => {
      const texts = COMMANDS.map((number) => smuggledInCommands(number, mailbox(backend)))
      for (const { one, two } of await judge(backend, portico.ports.smtp, HELLO, texts))
        expect([one, two]).toEqual([0, 0])
    })
  })
})
