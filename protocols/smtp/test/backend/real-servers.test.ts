// SPDX-License-Identifier: MIT
import type { Backend } from '@portico/base'
import { type Dovecot, type Postfix, requireServer, startDovecot, startPostfix } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dialect } from '../../src/backend/greeting.js'
import type { SmtpSettings } from '../../src/schema.js'
import { borrow, logIn, type Person, poolOf, sendMessage, settingsOf } from './support.js'

const skip = requireServer('dovecot', 'postfix') !== undefined || process.getuid?.() !== 0

function backendAt(port: number, protocol: Dialect, identity: Backend['identity']): Backend {
  return {
    id: `real/${protocol}/127.0.0.1:${port}`,
    group: 'real',
    protocol,
    address: { kind: 'tcp', host: '127.0.0.1', port },
    tls: { mode: 'none', verify: true },
    identity,
    cleartextPasswords: 'loopback',
    path: '',
  }
}

/** Sends a message for each person, one after the other, and tells which of them got a connection that had served before. */
async function sendFor(
  backend: Backend,
  clientFacts: SmtpSettings['clientFacts'],
  people: readonly Person[],
): Promise<readonly boolean[]> {
  await using pool = poolOf(settingsOf({ clientFacts }))
  const reused: boolean[] = []
  for (const person of people) {
    const lease = await borrow(pool, backend)
    reused.push(lease.reused)
    const session = await logIn(lease, person)
    const text = `Message-ID: <${person.number}.${clientFacts}@x.test.lan>\r\nSubject: hi\r\n\r\nhello`
    expect(session && (await sendMessage(session, text, ['alice@test.lan']))).toBe(true)
    session?.giveBack()
    await expect.poll(() => pool.stats()[0]?.lent).toBe(0)
  }
  return reused
}

describe.skipIf(skip)('mail servers that are told of one client after another', () => {
  let dovecot: Dovecot
  let postfix: Postfix

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alice-pw' } })
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl })
  }, 120_000)
  afterAll(async () => {
    await postfix?.stop()
    await dovecot?.stop()
  })

  const eve = { number: 1, signedIn: false }
  const dora = { number: 2, signedIn: false }
  const user = { number: 3, signedIn: true }
  const last = { number: 4, signedIn: false }

  test('Postfix takes the address by XCLIENT once for each connection', async () => {
    const backend = backendAt(postfix.port, 'smtp', { kind: 'xclient' })
    expect(await sendFor(backend, 'xclient', [eve, user])).toEqual([false, false])
    expect(await postfix.logged(/client=unknown\[10\.0\.0\.1\]/)).not.toContain('sasl')
    expect(await postfix.logged(/client=unknown\[10\.0\.0\.3\]/)).toContain('sasl_username=user3')
  })

  test('Postfix takes XFORWARD for each message, and a user by XCLIENT as well as nobody after them', async () => {
    const backend = backendAt(postfix.port, 'smtp', { kind: 'xclient' })
    const before = connections(postfix)
    expect(await sendFor(backend, 'xforward', [eve, dora, user, last])).toEqual([false, true, true, true])
    expect(connections(postfix) - before).toBe(1)
    expect(await postfix.logged(/orig_client=unknown\[10\.0\.0\.2\]/)).toContain(
      'client=localhost[127.0.0.1], orig_queue_id=s2',
    )
    expect(await postfix.logged(/orig_client=unknown\[10\.0\.0\.3\]/)).toContain(
      'sasl_method=XCLIENT, sasl_username=user3',
    )
    expect(await postfix.logged(/orig_client=unknown\[10\.0\.0\.4\]/)).not.toContain('sasl')
  })

  test("Dovecot's LMTP takes the address by XCLIENT again and again", async () => {
    const backend = backendAt(dovecot.ports.lmtp, 'lmtp', { kind: 'none' })
    expect(await sendFor(backend, 'xclient', [eve, dora, last])).toEqual([false, true, true])
    // Its log names the session as XCLIENT did.
    for (const { number } of [eve, dora, last])
      await dovecot.logged(
        new RegExp(`<s${number}(?::T\\d+)?>: .*msgid=<${number}\\.xclient@x\\.test\\.lan>: saved mail to INBOX`),
      )
  })
})

/** Connections from us that Postfix has logged. */
function connections(postfix: Postfix): number {
  return postfix.log().match(/: connect from /g)?.length ?? 0
}
