// SPDX-License-Identifier: MIT
import { createHmac } from 'node:crypto'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { APACHE_PROGRAMS, type ApacheDav, requireServer, startApacheDav } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { get } from './ask.js'
import { Client, Front } from './harness.js'
import { accounts, authenticatorFor } from './schemes-world.js'

const SECRET = 'thirty-two octets or more of a key that both know'
const MODULE = '/usr/lib/apache2/modules/mod_auth_openidc.so'

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token (RFC 7519) that Apache can judge by itself. */
function tokenFor(user: string, secret = SECRET, seconds = 600): string {
  const now = Math.floor(Date.now() / 1000)
  const text = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: user, iat: now, exp: now + seconds })}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** Where everything is required, Apache says itself what it does not have. */
function isMissing(): boolean {
  if (requireServer(...APACHE_PROGRAMS) !== undefined) return true
  return !existsSync(MODULE) && process.env['PORTICO_REQUIRE_ALL'] !== '1'
}

/** `identity: token` at a server that reads the token again: Apache with mod_auth_openidc (RFC 6750 section 2.1). */
describe.skipIf(isMissing())('a backend that judges bearer tokens itself', () => {
  let apache: ApacheDav

  beforeAll(async () => {
    const extra = `LoadModule auth_openidc_module ${MODULE}
OIDCCryptoPassphrase nothing-is-sealed-here
OIDCOAuthVerifySharedKeys "plain##${SECRET}"
OIDCOAuthRemoteUserClaim sub
<Location /files>
  AuthType oauth20
  Require valid-user
</Location>`
    apache = await startApacheDav({ users: {}, path: '/files', extra })
    writeFileSync(join(apache.files, 'hello'), 'hello')
    chmodSync(join(apache.files, 'hello'), 0o644)
  })
  afterAll(() => apache?.stop())

  test('knows the user by the token that the client has shown, and a token that it refuses is told as invalid', async () => {
    const [good, strange] = [tokenFor('kim'), tokenFor('kim', 'another key that only a stranger knows')]
    await using front = await Front.start(
      (socket) => {
        const backend = connect(apache.port, '127.0.0.1')
        for (const one of [socket, backend]) one.on('error', () => undefined)
        socket.pipe(backend).pipe(socket)
      },
      {
        settings: { directories: [{ mount: '/', auth: ['bearer'] }] },
        identity: { kind: 'token' },
        authenticator: authenticatorFor(accounts({ tokens: { [good]: 'kim', [strange]: 'kim' } })),
      },
    )
    const ask = async (token: string): Promise<string> => {
      const client = await Client.connect(front.port)
      client.send(get('/files/hello', `Authorization: Bearer ${token}`))
      return client.toEnd()
    }
    expect(await ask(good)).toMatch(/^HTTP\/1\.1 200 [\s\S]*hello$/)
    expect(apache.log()).toContain(' kim "GET /files/hello HTTP/1.1" 200')
    const refused = await ask(strange)
    expect(refused).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: Bearer realm="Mail", error="invalid_token"/)
    expect(apache.log()).toContain('"GET /files/hello HTTP/1.1" 401')
  })
})
