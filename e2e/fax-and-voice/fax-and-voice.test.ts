// SPDX-License-Identifier: MIT
// biome-ignore-all lint/suspicious/noThenProperty: the word of the language of rules; nobody awaits one.
import { X509Certificate } from 'node:crypto'
import {
  type Dovecot,
  type Hylafax,
  makeHylafax,
  type Postfix,
  startDovecot,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { python, run } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const needs = { programs: ['dovecot', 'postfix', 'faxinfo', 'gs', 'msmtp', 'swaks', 'python3'], root: true }
const MAY_NOT_SIGN_IN = ['submit', 'any-sender', 'routing-headers']

/**
 * A voice message as VPIM has it (RFC 3801 section 4): the caller's spoken name and what was said, in 32 kbit/s ADPCM. `strict`: with the
 * fields by which others say the same.
 */
const VOICE = `
import base64, smtplib, ssl, sys
port, ca, subject, claims = sys.argv[1:5]
def sound(kind, seconds):
  samples = bytes((at * 37 + at // 64) % 256 for at in range(seconds * 4000))
  lines = base64.encodebytes(samples).decode().replace('\\n', '\\r\\n')
  return ('--MessageBoundary\\r\\nContent-Type: Audio/32KADPCM\\r\\nContent-Transfer-Encoding: Base64\\r\\n'
    'Content-Disposition: inline; voice=%s\\r\\nContent-Duration: %d\\r\\nContent-ID: <%s@pbx.test.lan>\\r\\n\\r\\n%s' % (kind, seconds, kind, lines))
message = ('To: +15551234@test.lan\\r\\nFrom: "Parsons, Glenn" <12145551234@pbx.test.lan>\\r\\nSubject: %s\\r\\n'
  'Date: Mon, 26 Aug 1993 10:20:20 -0700 (CST)\\r\\nMIME-Version: 1.0  (Voice 2.0)\\r\\n'
  'Content-type: Multipart/Voice-Message; Version=2.0; Boundary="MessageBoundary"\\r\\n'
  'Content-Transfer-Encoding: 7bit\\r\\nMessage-ID: <%s@pbx.test.lan>\\r\\nSensitivity: Private\\r\\nImportance: High\\r\\n%s\\r\\n'
  % (subject, subject, claims.replace('|', '\\r\\n'))
  + sound('Originator-Spoken-Name', 1) + sound('Voice-Message', 6) + '--MessageBoundary--\\r\\n')
smtp = smtplib.SMTP('localhost', int(port), 'pbx.test.lan')
if ca:
  smtp.starttls(context=ssl.create_default_context(cafile=ca))
smtp.sendmail('12145551234@pbx.test.lan', ['alice@test.lan'], message)
smtp.quit()
`

scenario('fax and voice mail at the SMTP door', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let gateway: Postfix
  let portico: Portico<'stranger' | 'voicemail' | 'fax' | 'users'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    dovecot = await startDovecot({ name: 'mbx1', users: { alice: 'alicepw', bob: 'bobpw', dialled: 'dialledpw' } })
    ;[postfix, gateway] = await Promise.all([
      startPostfix({ name: 'mta1', lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl }),
      // It dials into a mailbox: whatever the number is.
      startPostfix({
        name: 'gateway',
        lmtpPort: dovecot.ports.lmtp,
        extra: 'virtual_alias_domains = fax.test.lan, voice.test.lan\nvirtual_alias_maps = static:dialled@test.lan',
      }),
    ])
    const tls = { mode: 'starttls', ca: ca(), servername: 'localhost' }
    const { client } = testCertificates()
    const to = (connector: string, more: object = {}) =>
      ({ protocol: 'smtp', tls: 'starttls', connector, ...more }) as const
    portico = await startPortico({
      listeners: {
        stranger: to('inbound'),
        voicemail: to('partner'),
        fax: to('hylafax', { clientCertificates: ca() }),
        users: to('client'),
      },
      users: [
        'alice:{PLAIN}alicepw::::::group=mbx',
        'bob:{PLAIN}bobpw::::::group=mbx',
        `pbx:::::::group=mbx certificate=${new X509Certificate(client.certificate).fingerprint256}`,
      ],
      backends: {
        mbx: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls } },
        fax: { identity: 'none', smtp: { endpoints: [`127.0.0.1:${gateway.port}`], tls } },
      },
      more: {
        auth: { mechanisms: ['EXTERNAL', 'PLAIN', 'LOGIN'] },
        smtp: {
          connectors: {
            inbound: { domains: ['test.lan'], tarpit: '0s', permissions: { anonymous: MAY_NOT_SIGN_IN } },
            partner: { domains: ['test.lan'], remote: ['127.0.0.1', '::1'] },
            hylafax: {
              domains: ['test.lan'],
              tarpit: '0s',
              requireTls: true,
              mechanisms: ['EXTERNAL'],
              permissions: { anonymous: [], authenticated: ['submit', 'any-sender', 'telephony-headers'] },
            },
          },
          agents: [
            { type: 'telephony', partners: { hylafax: 'fax' } },
            {
              type: 'rules',
              rules: [
                { name: 'faxes', if: { messageType: 'fax' }, then: [{ prependSubject: '[fax] ' }] },
                {
                  name: 'voice',
                  if: { messageType: 'voice' },
                  then: [{ setHeader: { name: 'X-Voicemail', value: 'yes' } }],
                },
              ],
            },
          ],
          telephony: {
            numbers: { countryCode: '49' },
            gateways: {
              fax: { group: 'fax', domains: ['fax.test.lan'], deny: ['+4930666'] },
              voice: { group: 'fax', domains: ['voice.test.lan'], address: 'as-written' },
            },
          },
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([postfix, gateway, dovecot].map((server) => server?.stop()))
  })

  /** The header section of a message, whose lines are unfolded, and its body. */
  const partsOf = (text: string) => {
    const end = text.indexOf('\n\n')
    return { header: text.slice(0, end).replace(/\n[ \t]+/g, ' '), body: text.slice(end) }
  }

  describe('a fax server that proves itself by its certificate', () => {
    const onceThere = async (caller: string): Promise<string> => {
      let text: string | undefined
      await eventually(async () => {
        text = (await dovecot.mailOf('bob')).find((mail) => mail.includes(`CallID1: ${caller}`))
        expect(text).toBeDefined()
      })
      return text ?? ''
    }
    const hylafax = (port: number, isKnown: boolean): Hylafax => {
      const { ca: authority, client } = testCertificates()
      return makeHylafax({ port, authority, ...(isKnown ? { client: { user: 'pbx', certificate: client } } : {}) })
    }

    test.each(['tif', 'pdf'] as const)('its faxes arrive marked, as %s', async (form) => {
      const caller = form === 'tif' ? '4930111' : '4930112'
      const said = await hylafax(portico.ports.fax, true).receive({ to: 'bob@test.lan', caller, form })
      expect(said).not.toMatch(/msmtp/)
      const { header, body } = partsOf(await onceThere(caller))
      expect(header).toMatch(/^X-Portico-Message-Class: fax; evidence=partner$/m)
      expect(header).toMatch(/^Message-Context: fax-message$/m)
      expect(header).toMatch(/^Subject: \[fax\] Fax received/m)
      expect(body).toMatch(form === 'tif' ? /Content-Type: image\/tiff/i : /Content-Type: application\/pdf/i)
    })

    test('without the certificate it may not send there', async () => {
      const said = await hylafax(portico.ports.fax, false).receive({
        to: 'bob@test.lan',
        caller: '4930113',
        form: 'tif',
      })
      expect(said).toMatch(/530|authenti/i)
      expect((await dovecot.mailOf('bob')).some((mail) => mail.includes('4930113'))).toBe(false)
    })

    test('by the door of strangers its mail is ordinary mail', async () => {
      await hylafax(portico.ports.stranger, false).receive({ to: 'bob@test.lan', caller: '4930114', form: 'tif' })
      expect(partsOf(await onceThere('4930114')).header).not.toMatch(
        /^(?:X-Portico-|Message-Context|Subject: \[fax\])/m,
      )
    })
  })

  describe('voice messages', () => {
    const claims = 'Content-Class: voice-ca|X-CallingTelephoneNumber: +15551234|X-VoiceMessageDuration: 6|'
    const send = (door: 'stranger' | 'voicemail', subject: string, more = '') =>
      python(VOICE, portico.ports[door], ca(), subject, more)
    const arrived = async (subject: string) => partsOf((await arrivedAt([dovecot], 'alice', subject)).text)

    test('of VPIM arrive marked when a partner sends them', async () => {
      await send('voicemail', 'vpim')
      const { header, body } = await arrived('vpim')
      expect(header).toMatch(/^X-Portico-Message-Class: voice; evidence=vpim$/m)
      expect(header).toMatch(/^Message-Context: voice-message$/m)
      expect(header).toMatch(/^X-Voicemail: yes$/m)
      expect(body).toContain('voice=Voice-Message')
    })

    test('keep what a partner says of the call', async () => {
      await send('voicemail', 'call', claims)
      const { header } = await arrived('call')
      expect(header).toMatch(/^X-Portico-Message-Class: voice; evidence=content-class$/m)
      expect(header).toMatch(/^X-CallingTelephoneNumber: \+15551234$/m)
      expect(header).not.toContain('X-Untrusted-')
    })

    test('of a stranger are mail, and what they say of a call is renamed', async () => {
      await send('stranger', 'spoof', `${claims}X-Portico-Message-Class: voice; evidence=partner|`)
      const { header, body } = await arrived('spoof')
      expect(header).not.toMatch(/^(?:X-Portico-Message-Class|Message-Context|Content-Class|X-Calling|X-Voice)/m)
      expect(header).toMatch(/^X-Untrusted-Content-Class: voice-ca$/m)
      expect(header).toMatch(/^X-Untrusted-X-CallingTelephoneNumber: \+15551234$/m)
      expect(header).toMatch(/^X-Untrusted-X-VoiceMessageDuration: 6$/m)
      expect(body).toContain('voice=Voice-Message')
      expect(await portico.logged(/a claim to tell of a call is not believed/)).toContain('"class":"voice"')
    })
  })

  describe('calling a telephone', () => {
    const call = (to: string, door: 'users' | 'stranger', ...more: string[]) =>
      run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports[door]), '--to', to],
        ...[
          '--from',
          door === 'users' ? 'alice@test.lan' : 'carol@example.org',
          '--helo',
          'pc.test.lan',
          '-tls',
          ...more,
        ],
      ])
    const SIGN_IN = ['-au', 'alice', '-ap', 'alicepw']

    test('whoever has signed in reaches the gateway, which is told the number in its shortest form', async () => {
      const done = await call(
        '/FAX=030-1234.567/T33S=13/@fax.test.lan',
        'users',
        ...SIGN_IN,
        '--header',
        'Subject: dial',
      )
      expect(done.code, done.stdout).toBe(0)
      await arrivedAt([dovecot], 'dialled', 'dial')
      await gateway.logged(/orig_to=<FAX=\+49301234567\/T33S=13@fax\.test\.lan>/)
      expect(postfix.log()).not.toContain('fax.test.lan')
      expect(await portico.logged(/a call goes to its gateway/)).toContain('"number":"+49301234567"')
    })

    test('a voice message reaches the gateway of its service, which is told what was written', async () => {
      const done = await call('VOICE=+49-30-1234567@voice.test.lan', 'users', ...SIGN_IN, '--header', 'Subject: speak')
      expect(done.code, done.stdout).toBe(0)
      await arrivedAt([dovecot], 'dialled', 'speak')
      await gateway.logged(/orig_to=<VOICE=\+49-30-1234567@voice\.test\.lan>/)
      expect(await portico.logged(/"service":"voice"/i)).toContain('"number":"+49301234567"')
    })

    /** What its clients have asked of the gateway: what becomes of an earlier call may still be written. */
    const asked = (): readonly string[] => gateway.log().match(/^.*smtpd\[\d+\]: .*(?:client=|NOQUEUE).*$/gm) ?? []

    test.each([
      ['who has not signed in', 'FAX=+49301234567', 'stranger', [], /550 5\.7\.1 Sign in to call telephones/],
      ['a premium number', 'FAX=+499001234567', 'users', SIGN_IN, /550 5\.7\.1 This number may not be called/],
      ['a number abroad', 'FAX=+12027653000', 'users', SIGN_IN, /550 5\.7\.1 This number may not be called/],
      ['a number that the site denies', '/fax=030-666.1234/', 'users', SIGN_IN, /550 5\.7\.1 This number may not be/],
      ['what is no number', 'FAX=sales', 'users', SIGN_IN, /550 5\.1\.3 Not a telephone number/],
      ['a premium number by way of a mail server', 'FAX=+499001234567%fax.test.lan', 'users', SIGN_IN, /550 5\.1\.3/],
    ] as const)('refused: %s', async (_, local, door, signIn, reply) => {
      const before = asked()
      const done = await call(`${local}@${local.includes('%') ? 'far.example' : 'fax.test.lan'}`, door, ...signIn)
      expect(done.stdout).toMatch(reply)
      expect(asked()).toEqual(before)
    })
  })
})
