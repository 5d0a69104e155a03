// SPDX-License-Identifier: MIT
import { connect } from 'node:net'
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, succeed } from '../lib/clients.js'
import { type FakeBackend, startFakeBackend } from '../lib/fake-backends.js'
import { type Balancer, startHaproxy } from '../lib/haproxy.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

/** Where the balancer connects from, and where clients do: three addresses of this machine. */
const BALANCER = '127.0.0.9'
const CLIENT = '127.0.0.5'
const STRANGER = '127.0.0.6'

type Ports = 'imap' | 'imaps' | 'pop3' | 'smtp' | 'http'

scenario('behind HAProxy, on the ports that serve everybody else', { programs: ['haproxy', 'curl'] }, () => {
  let backends: FakeBackend[] = []
  let portico: Portico<Ports>
  let haproxy: Balancer<Ports>

  beforeAll(async () => {
    const protocols = ['imap4', 'pop3', 'smtp', 'http'] as const
    backends = await Promise.all(protocols.map((protocol) => startFakeBackend(protocol, 'none')))
    portico = await startPortico({
      listeners: {
        imap: { protocol: 'imap4', tls: 'starttls' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'none' },
        smtp: { protocol: 'smtp', tls: 'starttls', connector: 'client' },
        http: { protocol: 'http', tls: 'none' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=mbx'],
      backends: {
        mbx: Object.fromEntries(
          protocols.map((protocol, index) => [
            protocol,
            { endpoints: [`${protocol === 'http' ? 'http://' : ''}127.0.0.1:${backends[index]?.port}`] },
          ]),
        ),
      },
      more: { networks: { balancers: [`${BALANCER}/32`] } },
    })
    const { imap, imaps, pop3, smtp, http } = portico.ports
    haproxy = await startHaproxy(BALANCER, {
      imap: { to: imap, header: 'send-proxy' },
      imaps: { to: imaps, header: 'send-proxy-v2' },
      pop3: { to: pop3, terminates: true, header: 'send-proxy-v2-ssl-cn' },
      smtp: { to: smtp, header: 'send-proxy' },
      http: { to: http, terminates: true, header: 'send-proxy-v2-ssl-cn' },
    })
  })
  afterAll(async () => {
    await haproxy?.stop()
    await portico?.stop()
    await Promise.all(backends.map((backend) => backend.close()))
  })

  const curl = (from: string, ...args: readonly string[]) =>
    succeed('curl', ['-sS', '--cacert', testCertificates().ca.certificateFile, '--interface', from, ...args])
  const alice = ['--user', 'alice:alicepw']
  /** Where the sessions of a listener came from, as its log tells: sorted, for it tells of them as they end. */
  const clientsOf = (listener: Ports) =>
    portico
      .sessions()
      .filter((session) => session['listener'] === listener && session['user'] === 'alice')
      .map((session) => session['client'])
      .toSorted()

  test('IMAP4: header, then STARTTLS; and the same port without a balancer', async () => {
    await curl(CLIENT, `imap://localhost:${haproxy.ports.imap}`, '--ssl-reqd', '-X', 'NOOP', ...alice)
    await curl(STRANGER, `imap://localhost:${portico.ports.imap}`, '--ssl-reqd', '-X', 'NOOP', ...alice)
    await eventually(() => expect(clientsOf('imap')).toEqual([CLIENT, STRANGER]))
  })

  test('IMAP4: header and ClientHello on a port of implicit TLS', async () => {
    await curl(CLIENT, `imaps://localhost:${haproxy.ports.imaps}`, '-X', 'NOOP', ...alice)
    await curl(STRANGER, `imaps://localhost:${portico.ports.imaps}`, '-X', 'NOOP', ...alice)
    await eventually(() => expect(clientsOf('imaps')).toEqual([CLIENT, STRANGER]))
  })

  test('SMTP: header, then STARTTLS', async () => {
    const mail = ['--mail-from', 'alice@test.lan', '--mail-rcpt', 'bob@test.lan', '-T', '-']
    const args = [`smtp://localhost:${haproxy.ports.smtp}`, '--ssl-reqd', '--interface', CLIENT, ...alice, ...mail]
    const ca = testCertificates().ca.certificateFile
    await succeed('curl', ['-sS', '--cacert', ca, ...args], { input: 'Subject: hi\r\n\r\nhello\r\n' })
    await eventually(() => expect(clientsOf('smtp')).toEqual([CLIENT]))
  })

  test('POP3 and HTTP: a balancer that took TLS off is believed that the client had it', async () => {
    await curl(CLIENT, `pop3s://localhost:${haproxy.ports.pop3}`, '-X', 'STAT', '-I', ...alice)
    const page = await curl(CLIENT, `https://localhost:${haproxy.ports.http}/`, ...alice)
    expect(page).toBe('hello')
    await eventually(() => expect([...clientsOf('pop3'), ...clientsOf('http')]).toEqual([CLIENT, CLIENT]))
  })

  test('POP3 and HTTP: nobody else is, so that passwords stay where they are', async () => {
    const page = await run('curl', ['-sS', `http://localhost:${portico.ports.http}/`, '-w', '%{http_code}', ...alice])
    expect(page.stdout).toContain('403')
    const pop3 = await run('curl', ['-sS', `pop3://localhost:${portico.ports.pop3}`, ...alice])
    expect(pop3.code).not.toBe(0)
  })

  test.each(['imap', 'pop3', 'smtp', 'http'] as const)('%s: a forged header is believed by nobody', async (name) => {
    const said = await forge(portico.ports[name])
    expect(said).toMatch(/\* BYE|-ERR|500 5\.5\.2|HTTP\/1\.1 400/)
    // The lines of sessions that were there before may come later.
    await eventually(() => {
      const nobodys = portico.sessions().filter(({ listener, user }) => listener === name && user === undefined)
      expect(nobodys.map(({ client }) => client)).toContain(STRANGER)
    })
    expect(portico.log()).not.toContain('192.0.2.66')
  })
})

/** What a stranger hears who states another address; the connection is closed then. */
function forge(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: STRANGER })
    let said = ''
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      said += data
      if (/^(?:\* BYE|-ERR|500|HTTP)/m.test(said)) socket.destroy()
    })
    socket.on('close', () => resolve(said))
    socket.write('PROXY TCP4 192.0.2.66 192.0.2.1 4711 143\r\n')
  })
}
