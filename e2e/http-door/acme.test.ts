// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { PEBBLE_PROGRAMS, type Pebble, privateFolder, startPebble, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { fetched } from '../lib/curl.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const NAME = 'mail.test.lan'

/** A certificate of a real authority, by the door of the node that it is for. */
scenario(
  'certbot gets a certificate through port 80',
  { programs: [...PEBBLE_PROGRAMS, 'certbot', 'curl', 'openssl'] },
  () => {
    const webroot = privateFolder('web')
    const folder = privateFolder('cb')
    const live = join(folder, 'config/live', NAME)
    const root = join(folder, 'root.pem')
    let portico: Portico<'http' | 'https'>
    let pebble: Pebble

    beforeAll(async () => {
      portico = await startPortico({
        listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
        users: USERS,
        backends: {
          mbx1: { http: { endpoints: ['http://127.0.0.1:9'] } },
          mbx2: { http: { endpoints: ['http://127.0.0.1:9'] } },
        },
        more: { http: { httpsUrl: `https://${NAME}`, acmeWebroot: webroot } },
      })
      pebble = await startPebble({ httpPort: portico.ports.http })
      writeFileSync(root, (await fetched(pebble.rootUrl)).body)
    })
    afterAll(async () => {
      await portico?.stop()
      await pebble?.stop()
    })

    /** As the documentation has it, with folders of the test and an authority of the test. */
    const certbot = (...args: readonly string[]): Promise<string> =>
      succeed(
        'certbot',
        [
          ...args,
          ...['--non-interactive', '--config-dir', join(folder, 'config'), '--work-dir', join(folder, 'work')],
          ...['--logs-dir', join(folder, 'logs')],
        ],
        { env: { REQUESTS_CA_BUNDLE: testCertificates().ca.certificateFile } },
      )

    test('the authority looks at the challenge through the door, and gives the certificate', async () => {
      await certbot(
        ...['certonly', '--webroot', '-w', webroot, '-d', NAME, '--server', pebble.directoryUrl],
        ...['--agree-tos', '--register-unsafely-without-email'],
      )
      expect(await pebble.logged(/authz .* set VALID by completed challenge/)).toBeDefined()
    })

    test('after a reload it is shown to clients of its name', async () => {
      const own = { names: [NAME], certificate: join(live, 'fullchain.pem'), key: { file: join(live, 'privkey.pem') } }
      const { tls, ...others } = portico.config
      portico.rewrite({ ...others, tls: [own, ...(tls as object[])] })
      await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
      const page = ['--cacert', root, '--resolve', `${NAME}:${portico.ports.https}:127.0.0.1`]
      expect((await fetched(`https://${NAME}:${portico.ports.https}/healthcheck.htm`, page)).status).toBe(200)
      expect((await fetched(`https://localhost:${portico.ports.https}/healthcheck.htm`)).status).toBe(200)
    })

    test('a renewed one is shown without being told', async () => {
      const before = await serialShown(portico.ports.https)
      await certbot('renew', '--force-renewal', '--no-random-sleep-on-renew')
      await eventually(async () => expect(await serialShown(portico.ports.https)).not.toBe(before), 60_000)
      await portico.logged(/certificates renewed/)
    })
  },
)

/** The serial number of the certificate that a client of the name is shown. */
function serialShown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false })
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
  })
}
