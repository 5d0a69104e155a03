// SPDX-License-Identifier: MIT
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { freePorts, testCertificates, waitForPort } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { answerCalls, makeCalls, sipsak, tlsBridge } from '../lib/sipp.js'

const alice = (group: string): string => `alice:{PLAIN}alicepw::::::group=${group}`
const users = (group: string): readonly string[] => [alice(group), '+493012345:{PLAIN}faxpw::::::group=other']

/** RFC 3261 section 17.1.1.1; and what the longest request may take on a busy machine. */
const [T1_MS, PATIENCE_MS] = [500, 32_000]

scenario('calls to mailboxes', { programs: ['sipp', 'sipsak'] }, () => {
  let portico: Portico<'tcp' | 'tls'>
  /** Voice servers, of which each mailbox has one for each transport. */
  let [first, second]: readonly [number, number] = [0, 0]

  const start = async (): Promise<void> => {
    const [port = 0, one = 0, other = 0] = await freePorts(3)
    first = one
    second = other
    const address = `127.0.0.1:${port}`
    portico = await startPortico({
      listeners: {
        tcp: { protocol: 'sip', tls: 'none', address },
        tls: { protocol: 'sip', tls: 'implicit' },
        udp: { protocol: 'sip', tls: 'none', transport: 'udp', address },
      },
      users: users('udp'),
      backends: {
        udp: { sip: { endpoints: [`127.0.0.1:${first}`], transport: 'udp' } },
        tcp: { sip: { endpoints: [`127.0.0.1:${first}`], transport: 'tcp' } },
        other: { sip: { endpoints: [`127.0.0.1:${second}`], transport: 'udp' } },
      },
      more: {
        networks: { gateways: ['127.0.0.0/8'] },
        sip: { domains: ['test.lan'], hosts: ['127.0.0.1'], peers: { networks: ['gateways'] } },
        limits: { datagramsPerAddress: 100_000, connectionsPerAddress: 1_000, drain: '5s' },
      },
    })
    port5060 = port
  }
  let port5060 = 0

  beforeAll(start)
  afterAll(async () => portico?.stop())

  /** Rewrites the directory, and waits until its answer has changed. */
  async function move(group: string, contact: string): Promise<void> {
    writeFileSync(portico.usersFile, `${users(group).join('\n')}\n`)
    // Each worker reads it for itself.
    await eventually(async () => {
      for (let count = 0; count < 20; count += 1) expect(await ask('INVITE', 'sip:alice@test.lan')).toContain(contact)
    })
  }

  /** The answer to a request, which is sent again until there is one (RFC 3261 section 17.1.2.2). */
  async function ask(method: string, uri: string, more = ''): Promise<string> {
    const socket = createSocket('udp4')
    const send = (): void => socket.send(requestOf(method, uri, more), port5060, '127.0.0.1')
    const again = setInterval(send, T1_MS)
    try {
      send()
      const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
      return String(answer)
    } finally {
      clearInterval(again)
      socket.close()
    }
  }

  describe('sipp is redirected, and calls the voice server of the mailbox', () => {
    const calls = 10
    test('over UDP', async () => {
      await move('udp', `<sip:alice@127.0.0.1:${first};transport=udp>`)
      const answered = answerCalls(first, 'udp', calls)
      await makeCalls({ port: port5060, transport: 'udp', user: 'alice', calls, rate: 10, scenario: 'redirected-call' })
      await answered
    })

    test('over TCP and TLS', async () => {
      await move('tcp', `<sip:alice@127.0.0.1:${first};transport=tcp>`)
      const answered = answerCalls(first, 'tcp', 2 * calls)
      await waitForPort(first, true)
      const gateway = { transport: 'tcp', user: 'alice', calls, rate: 10, scenario: 'redirected-call' } as const
      await makeCalls({ ...gateway, port: port5060 })
      await using bridge = await tlsBridge(portico.ports.tls)
      await makeCalls({ ...gateway, port: bridge.port })
      await answered
      expect(portico.sessions().some(({ listener }) => listener === 'tls')).toBe(true)
    })

    test('a mailbox that was moved in the directory is called where it is now', async () => {
      await move('other', `<sip:alice@127.0.0.1:${second};transport=udp>`)
      const answered = answerCalls(second, 'udp', 1)
      const one = { transport: 'udp', user: 'alice', calls: 1, rate: 1, scenario: 'redirected-call' } as const
      await makeCalls({ ...one, port: port5060 })
      await answered
    })
  })

  test('2,000 calls over UDP are all redirected, by both workers', async () => {
    const load = { port: port5060, transport: 'udp', user: 'alice', calls: 2_000, rate: 400 } as const
    await makeCalls({ ...load, scenario: 'redirected' })
    const by = portico.workers.map((pid) => portico.log().split(`"pid":${pid},`).length > 100)
    expect(by).toEqual(portico.workers.map(() => true))
  })

  test('1,000 calls over TCP', async () => {
    const load = { port: port5060, transport: 'tcp', user: 'alice', calls: 1_000, rate: 300 } as const
    await makeCalls({ ...load, scenario: 'redirected' })
  })

  test('sipsak pings the server, and follows a redirection', async () => {
    const ping = await sipsak('-vv', '-s', `sip:127.0.0.1:${port5060}`)
    expect(ping).toMatchObject({ code: 0, stdout: expect.stringContaining('SIP/2.0 200 OK') })
    const mailbox = await sipsak('-vvv', '-s', `sip:alice@127.0.0.1:${port5060}`)
    expect(mailbox.stdout).toContain('received redirect')
    expect(mailbox.stdout).toContain(`OPTIONS sip:alice@127.0.0.1:${second} SIP/2.0`)
  })

  test('sipsak’s random characters and its flood are survived', async () => {
    await sipsak('-R', '-t', '100', '-s', `sip:alice@127.0.0.1:${port5060}`)
    const flood = await sipsak('-F', '-e', '5000', '-s', `sip:127.0.0.1:${port5060}`)
    expect(flood.code).toBe(0)
    expect(await ask('OPTIONS', 'sip:127.0.0.1')).toMatch(/^SIP\/2\.0 200 OK/)
    expect(portico.log()).not.toMatch(/"level":"error"/)
  })

  test('what is malformed or too large is survived over UDP, TCP and TLS', async () => {
    const tooLong = requestOf('INVITE', 'sip:alice@test.lan', `Subject: ${'x'.repeat(40_000)}\r\n`)
    const spoilt = ['\0\0\0\0', 'INVITE\r\n\r\n', requestOf('INVITE', 'sip:alice@test.lan', 'Junk\r\n'), tooLong]
    const socket = createSocket('udp4')
    for (const text of [...spoilt, 'x'.repeat(65_000)]) socket.send(text, port5060, '127.0.0.1')
    const answers = new Set<string>()
    while (answers.size < 2) {
      const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
      answers.add(String(answer).slice(0, 12))
    }
    expect([...answers].sort()).toEqual(['SIP/2.0 400 ', 'SIP/2.0 513 '])
    socket.close()
    const { ca } = testCertificates()
    const secure = { port: portico.ports.tls, host: '127.0.0.1', servername: 'localhost', ca: ca.certificate }
    for (const dial of [() => connect(port5060, '127.0.0.1'), () => connectTls(secure)]) {
      for (const text of [
        ...spoilt,
        'x'.repeat(1_000_000),
        requestOf('INVITE', 'sip:alice@test.lan').replace('l: 0\r\n', ''),
      ]) {
        const connection = dial()
        connection.on('error', () => undefined)
        connection.end(text)
        connection.resume()
        await once(connection, 'close')
      }
    }
    expect(await ask('OPTIONS', 'sip:127.0.0.1')).toMatch(/^SIP\/2\.0 200 OK/)
    expect(portico.log()).not.toMatch(/"level":"error"/)
  })

  test('a number is the mailbox of its digits, and nobody else is found', async () => {
    expect(await ask('INVITE', 'tel:+49-30-12345')).toContain(
      `<sip:+493012345@127.0.0.1:${second};user=phone;transport=udp>`,
    )
    expect(await ask('INVITE', 'sip:nobody@test.lan')).toMatch(/^SIP\/2\.0 404/)
  })

  test('a worker that is killed leaves the calls to the other', async () => {
    const load = { port: port5060, transport: 'udp', user: 'alice', calls: 900, rate: 300 } as const
    const answered = (): number => portico.log().split('"message":"request answered"').length
    const before = answered()
    const calls = makeCalls({ ...load, scenario: 'redirected' })
    await eventually(() => expect(answered()).toBeGreaterThan(before + 200))
    process.kill(portico.workers[0] ?? 0, 'SIGKILL')
    await calls
  })

  test('a service that is switched off sends gateways elsewhere, until it is back', async () => {
    portico.rewrite({ ...portico.config, components: { sip: 'inactive' } })
    await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
    const away = await ask('OPTIONS', 'sip:127.0.0.1')
    expect([away.slice(0, 12), away.includes('\r\nRetry-After: 10\r\n')]).toEqual(['SIP/2.0 503 ', true])
    portico.rewrite(portico.config)
    await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
    expect(await ask('OPTIONS', 'sip:127.0.0.1')).toMatch(/^SIP\/2\.0 200/)
  })

  test('a node that leaves ends its idle connections, and nobody listens for datagrams any more', async () => {
    const idle = connect(port5060, '127.0.0.1')
    idle.write(requestOf('OPTIONS', 'sip:127.0.0.1'))
    await once(idle, 'data')
    const ended = once(idle, 'end')
    process.kill(portico.pid, 'SIGTERM')
    await ended
    idle.destroy()
    await portico.logged(/"message":"left"/)
    const socket = createSocket('udp4')
    socket.connect(port5060, '127.0.0.1')
    await once(socket, 'connect')
    socket.send('x')
    const [error] = await once(socket, 'error').catch((cause: unknown) => [cause])
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    socket.close()
  })
})

function requestOf(method: string, uri: string, more = ''): string {
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP gateway.test.lan;branch=z9hG4bK1;rport\r\nFrom: <sip:gateway@test.lan>;tag=1\r\n` +
    `To: <${uri}>\r\nCall-ID: asked\r\nCSeq: 1 ${method}\r\n${more}l: 0\r\n\r\n`
  )
}
