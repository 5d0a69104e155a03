// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import type { Offer } from '@portico/session'
import { testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { httpSchema } from '../src/schema.js'
import { Client, Front, type World } from './harness.js'

const offer = (protocol: Offer['protocol'], port: number): Offer => ({
  protocol,
  host: 'mail.example.com',
  port,
  tls: 'implicit',
  proofs: ['password'],
})

const PUBLICATION = {
  name: 'Example',
  domains: ['example.com', 'example.net'],
  userName: 'address',
  publicFolders: [],
  isInside: () => false,
  offersFor: () => [offer('imap4', 993), offer('smtp', 465), offer('http', 443)],
} as const

const SITE: World = {
  settings: { directories: [{ preset: 'autodiscover' }, { mount: '/dav', wellKnown: ['caldav', 'carddav'] }] },
  services: { publication: PUBLICATION },
}

const ALICE = `Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}`

async function get(path: string, fields: readonly string[] = [], world: World = SITE) {
  await using front = await Front.start((socket) => socket.destroy(), world)
  const client = await Client.connect(front.port)
  const host = fields.some((line) => line.startsWith('Host:')) ? [] : ['Host: mail.example.com']
  client.send(`GET ${path} HTTP/1.1`, ...host, ...fields, 'Connection: close', '', '')
  const text = await client.toEnd()
  const end = text.indexOf('\r\n\r\n') + 4
  return { status: Number(text.split(' ')[1]), head: text.slice(0, end), body: text.slice(end) }
}

describe('config-v1.1.xml', () => {
  const ROOT = '/mail/config-v1.1.xml'

  test.each([
    ['at the host of its own', `${ROOT}?emailaddress=alice%40example.com`, 'autoconfig.example.com'],
    ['below the domain', '/.well-known/autoconfig/mail/config-v1.1.xml', 'example.com'],
    [
      'of another domain of the site, at a host that serves both',
      `${ROOT}?emailaddress=x@EXAMPLE.net`,
      'autoconfig.example.com',
    ],
    ['at a port', ROOT, 'autoconfig.example.com:8443'],
    ['with an address that the client does not say', `${ROOT}?emailaddress=`, 'autoconfig.example.com'],
  ])('%s', async (_, path, host) => {
    const { status, head, body } = await get(path, [`Host: ${host}`])
    expect(status).toBe(200)
    expect(head).toContain('Content-Type: application/xml; charset=utf-8\r\n')
    expect(body).toContain('<hostname>mail.example.com</hostname>')
    expect(body).toContain('<serverURL>https://mail.example.com/dav/</serverURL>')
    expect(body).toContain(`<emailProvider id="example.${path.includes('net') ? 'net' : 'com'}">`)
  })

  test.each([
    ['a domain of others', `${ROOT}?emailaddress=alice@elsewhere.example`, 404],
    ['a host of others', ROOT, 404],
    ['no address', `${ROOT}?emailaddress=alice`, 404],
    ['two addresses', `${ROOT}?emailaddress=a@example.com&emailaddress=b@example.com`, 400],
    ['half an escape', `${ROOT}?emailaddress=%4`, 400],
  ])('%s', async (_, path, status) => expect((await get(path)).status).toBe(status))

  test('users that exist and others get the same document, to the letter', async () => {
    const ask = async (who: string) => (await get(`${ROOT}?emailaddress=${who}@example.com`)).body
    const known = await ask('alice')
    expect(await ask('nobody')).toBe(known)
    expect(await ask('%3Cscript%3E')).toBe(known)
  })

  test('an address in the letters of its people is of the domain that the DNS has for it', async () => {
    const world = { ...SITE, services: { publication: { ...PUBLICATION, domains: ['xn--mnchen-3ya.example'] } } }
    const { body } = await get(`${ROOT}?emailaddress=kim@M%C3%BCnchen.example`, [], world)
    expect(body).toContain('<domain>xn--mnchen-3ya.example</domain>')
  })

  test('where a site does not say its domains, each is served, and none that could not be one', async () => {
    const world = { ...SITE, services: { publication: { ...PUBLICATION, domains: [] } } }
    expect((await get(`${ROOT}?emailaddress=a@new.example`, [], world)).body).toContain('<domain>new.example</domain>')
    expect((await get(`${ROOT}?emailaddress=a@%22%3E%3Cx`, [], world)).status).toBe(404)
  })

  test('nobody answers where no directory does, or a group does', async () => {
    for (const directories of [[{ mount: '/dav' }], [{ preset: 'autodiscover', group: 'web' }]]) {
      expect((await get(`${ROOT}?emailaddress=a@example.com`, [], { ...SITE, settings: { directories } })).status).toBe(
        404,
      )
    }
  })

  test('calendars that are not live are left out', async () => {
    const directories = [{ preset: 'autodiscover' }, { mount: '/dav', wellKnown: ['caldav'], component: 'dav' }]
    const world = { ...SITE, settings: { directories }, states: new Map([['dav', 'inactive' as const]]) }
    expect((await get(`${ROOT}?emailaddress=a@example.com`, [], world)).body).not.toContain('calendar')
  })
})

describe('a profile for Apple', () => {
  test('of an address, for whoever asks', async () => {
    const { status, head, body } = await get('/autodiscover/mail.mobileconfig?address=Kim@example.com')
    expect(status).toBe(200)
    expect(head).toContain('Content-Type: application/x-apple-aspen-config\r\n')
    expect(head).toContain('Content-Disposition: attachment; filename="example.com.mobileconfig"\r\n')
    expect(head).toContain('Cache-Control: no-store\r\n')
    expect(body).toContain('<string>kim@example.com</string>')
    expect(body).toContain('com.apple.caldav.account')
  })

  test('of users that exist and others, the same but for the name', async () => {
    const ask = async (who: string) => {
      const { body } = await get(`/autodiscover/mail.mobileconfig?address=${who}@example.com`)
      return body.replaceAll(who, 'X').replace(/[0-9a-f]{16}|[0-9A-F-]{36}/g, 'ID')
    }
    expect(await ask('nobody')).toBe(await ask('alice'))
  })

  test.each([
    ['a domain of others', '/autodiscover/mail.mobileconfig?address=a@elsewhere.example', 404],
    ['no address', '/autodiscover/mail.mobileconfig', 404],
    ['half an address', '/autodiscover/mail.mobileconfig?address=@example.com', 404],
    ['two addresses', '/autodiscover/mail.mobileconfig?address=a@example.com&address=b@example.com', 400],
    ["one's own, without a sign-in", '/autodiscover/account.mobileconfig', 401],
  ])('%s', async (_, path, status) => expect((await get(path)).status).toBe(status))

  test("one's own, with what one may use", async () => {
    const own = (world: World = SITE) => get('/autodiscover/account.mobileconfig', [ALICE], world)
    expect((await own()).body).toContain('<string>alice@example.com</string>')
    const withoutMail = await own({ ...SITE, mayUse: (_, protocol) => protocol === 'http' })
    expect(withoutMail.body).not.toContain('com.apple.mail.managed')
    expect(withoutMail.body).toContain('com.apple.carddav.account')
  })

  test('signed when a key is given', async () => {
    const { server, ca } = testCertificates()
    const profileSigner = new Secret(`${server.key}${server.certificate}${ca.certificate}`)
    const world = { ...SITE, settings: { ...(SITE.settings as object), profileSigner } }
    const { body } = await get('/autodiscover/mail.mobileconfig?address=a@example.com', [], world)
    expect(Buffer.from(body.slice(0, 2), 'latin1').toString('hex')).toBe('3082')
    expect(body).toContain('com.apple.mail.managed')
  })

  test.each([
    ['nothing', 'x', /not one key/],
    [
      'a key without its certificate',
      () => testCertificates().client.certificate + testCertificates().server.key,
      /no certificate of the key/,
    ],
    ['two keys', () => testCertificates().client.key + testCertificates().server.key, /not one key/],
  ])('a signer that cannot sign is told when the configuration is read: %s', (_, pem, told) => {
    const parsed = httpSchema.safeParse({ profileSigner: new Secret(typeof pem === 'string' ? pem : pem()) })
    expect(parsed.error?.issues[0]?.message).toMatch(told)
  })
})
