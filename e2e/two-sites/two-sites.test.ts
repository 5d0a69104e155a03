// SPDX-License-Identifier: MIT
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { ImapFlow } from 'imapflow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { python, run } from '../lib/clients.js'
import { type Fetched, fetched } from '../lib/curl.js'
import { eventually, scenario } from '../lib/scenario.js'
import { hostOf, passwordOf, type Site, startTwoSites, type TwoSites } from '../lib/two-sites.js'

const needs = { programs: ['dovecot', 'postfix', 'curl', 'swaks', 'python3', 'openssl'], root: true }

/** bob's mailbox is in Munich, and he comes to Berlin; alice the other way round. */
scenario('two sites with directories of their own', needs, () => {
  let sites: TwoSites

  beforeAll(async () => {
    sites = await startTwoSites()
  })
  afterAll(() => sites?.[Symbol.asyncDispose]())

  const both = () => [sites.berlin, sites.munich]
  const as = (user: string) => ['-u', `${user}:${passwordOf(user)}`]
  /** Both names lead to this machine. */
  const resolved = () =>
    both().flatMap(({ name, portico }) => ['--resolve', `${hostOf(name)}:${portico.ports.https}:127.0.0.1`])
  const ask = (url: string, ...args: string[]): Promise<Fetched> => fetched(url, [...resolved(), ...args])
  const BROWSER = ['-H', 'Accept: text/html', '-H', 'Sec-Fetch-Mode: navigate']
  const device = (site: Site, user: string): [string, ...string[]] => [
    `${site.url}/Microsoft-Server-ActiveSync?Cmd=Sync&User=${user}&DeviceId=d1&DeviceType=t`,
    ...as(user),
    ...['-X', 'POST'],
  ]

  describe('carried to the other site', () => {
    test('IMAP4: imapflow', async () => {
      const client = new ImapFlow({
        host: 'localhost',
        port: sites.berlin.portico.ports.imaps,
        secure: true,
        auth: { user: 'bob', pass: passwordOf('bob') },
        tls: { ca: testCertificates().ca.certificate },
        logger: false,
      })
      await client.connect()
      await client.mailboxOpen('INBOX')
      const message = await client.fetchOne('1', { envelope: true })
      await client.logout()
      expect(message).toMatchObject({ envelope: { subject: 'kept in munich' } })
    })

    test('POP3: poplib', async () => {
      const said = await python(
        `
import poplib, ssl, sys
pop = poplib.POP3_SSL('localhost', int(sys.argv[1]), context=ssl.create_default_context(cafile=sys.argv[2]))
pop.user('alice'); pop.pass_(sys.argv[3])
print(b'\\n'.join(pop.retr(1)[1]).decode())
pop.quit()
`,
        sites.munich.portico.ports.pop3s,
        testCertificates().ca.certificateFile,
        passwordOf('alice'),
      )
      expect(said).toContain('Subject: kept in berlin')
    })

    test('submission: swaks', async () => {
      const sent = await submitted(sites.berlin, 'bob')
      expect(sent.code, sent.stdout).toBe(0)
      const { text } = await arrivedAt([sites.munich.dovecot], 'bob', 'by bob')
      expect(text).toContain('Received: ')
    })

    test.each(['/EWS/Exchange.asmx', '/caldav/bob/', '/jmap/session'])('HTTP: %s', async (path) => {
      const page = await ask(`${sites.berlin.url}${path}`, ...as('bob'))
      expect(page.body).toBe(`munich: bob GET ${path} via 2 portico, 1.1 portico`)
    })

    test('HTTP: MAPI, and a program in the directory of web mail', async () => {
      const mapi = ['-X', 'POST', '-H', 'X-RequestType: PING', '-H', 'Content-Type: application/mapi-http']
      expect((await ask(`${sites.berlin.url}/mapi/emsmdb/`, ...as('bob'), ...mapi)).body).toMatch(/^munich: bob POST/)
      expect((await ask(`${sites.berlin.url}/owa/feed`, ...as('bob'))).body).toMatch(/^munich: bob GET \/owa\/feed /)
    })

    test('whoever is at home is served at home', async () => {
      const page = await ask(`${sites.berlin.url}/owa/`, ...as('alice'), ...BROWSER)
      expect(page.body).toBe('berlin: alice GET /owa/ via 2 portico')
    })
  })

  describe('sent to the other site', () => {
    test('ActiveSync: 451 and the place (MS-ASHTTP section 2.2.2.1.1), where the device is served', async () => {
      const sent = await ask(...device(sites.berlin, 'bob'))
      expect(sent.status).toBe(451)
      expect(sent.field('x-ms-location')).toBe(`${sites.munich.url}/Microsoft-Server-ActiveSync`)
      expect((await ask(...device(sites.munich, 'bob'))).body).toMatch(/^munich: bob POST/)
    })

    test('Autodiscover: RedirectUrl, where the settings are', async () => {
      const question = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>
<EMailAddress>bob@test.lan</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`
      const settings = (url: string) =>
        ask(url, ...as('bob'), '-H', 'Content-Type: text/xml', '--data-binary', question)
      const away = await settings(`${sites.berlin.url}/autodiscover/autodiscover.xml`)
      expect(away.status).toBe(200)
      const [, next = ''] = /<RedirectUrl>([^<]*)<\/RedirectUrl>/.exec(away.body) ?? []
      expect(next).toContain(`${sites.munich.url}/autodiscover/autodiscover.xml`)
      expect((await settings(next)).body).toContain('<Action>settings</Action>')
    })

    test('web mail: a page with a link, in the language of the person; the way and the query stay', async () => {
      const path = '/owa/?ae=Item&id=%22%3E%3Cscript%3E'
      const page = await ask(sites.berlin.url + path, ...as('bob'), ...BROWSER, '-H', 'Accept-Language: fr')
      expect(page.status).toBe(200)
      expect(page.body).toContain('<html lang="fr"')
      expect(page.body).toContain(`href="${sites.munich.url}${path.replaceAll('&', '&#38;')}"`)
      expect(page.body).toContain(hostOf('munich'))
      expect(page.body).not.toContain('<script')
      expect(page.field('content-security-policy')).toContain("default-src 'none'")
      expect(page.field('cache-control')).toBe('no-store')
    })

    test('web mail, silently: after the sign-in page of the one site comes that of the other', async () => {
      await sites.berlin.redirect({ webMail: 'silent' })
      const jar = join(privateFolder('jar'), 'cookies')
      const person = [...BROWSER, '-b', jar, '-c', jar]
      const filled = await signedIn(sites.berlin, 'bob', person)
      expect(filled.status).toBe(302)
      const away = await ask(`${sites.berlin.url}/owa/?id=7`, ...person)
      expect([away.status, away.field('location')]).toEqual([302, `${sites.munich.url}/owa/?id=7`])
      // The cookie is of the one host only: whoever comes to the other is asked again.
      const there = await ask(`${sites.munich.url}/owa/?id=7`, ...person)
      expect(there.status).toBe(302)
      expect(there.field('location')).toContain('/owa/auth/logon.aspx')
      await signedIn(sites.munich, 'bob', person)
      expect((await ask(`${sites.munich.url}/owa/?id=7`, ...person)).body).toMatch(/^munich: bob GET \/owa\/\?id=7/)
    })

    test('the sign-in page lets a browser follow to the other site (CSP form-action)', async () => {
      const page = await ask(`${sites.berlin.url}/owa/auth/logon.aspx`, ...BROWSER)
      expect(page.field('content-security-policy')).toContain(`form-action 'self' ${sites.munich.url};`)
      const elsewhere = await ask(`${sites.munich.url}/owa/auth/logon.aspx`, ...BROWSER)
      expect(elsewhere.field('content-security-policy')).toContain("form-action 'self';")
    })

    test('IMAP4, by choice: a login referral (RFC 2221), announced, and only with the right password', async () => {
      await sites.munich.redirect({ imap4: true })
      const login = (password: string) => imap(sites.munich, 'alice', password)
      const said = await login(passwordOf('alice'))
      expect(said).toMatch(/^\* OK \[CAPABILITY [^\]]*LOGIN-REFERRALS/)
      expect(said).toContain('a NO [REFERRAL imap://alice;AUTH=*@imap.berlin.test.lan/]')
      expect(await login('guess')).toContain('a NO [AUTHENTICATIONFAILED]')
      await sites.munich.redirect({})
      expect(await login(passwordOf('alice'))).toContain('a OK')
    })
  })

  describe('two directories that each name the other site', () => {
    /** How many lines the logs of both sites have of lost with these parts. */
    const told = (...parts: readonly string[]): number =>
      both()
        .flatMap(({ portico }) => portico.log().split('\n'))
        .filter((line) => ['"user":"lost"', ...parts].every((part) => line.includes(part))).length

    test('IMAP4 ends as unavailable, after as many proxies as may be', async () => {
      expect(await imap(sites.berlin, 'lost', passwordOf('lost'))).toMatch(/^a NO \[UNAVAILABLE\]/m)
      await eventually(() => expect(told('"session ended"', '"protocol":"imap4"')).toBe(6))
    })

    test('POP3 too', async () => {
      const said = await octets(sites.berlin.portico.ports.pop3s, `USER lost\r\nPASS ${passwordOf('lost')}\r\nQUIT\r\n`)
      expect(said).toContain('-ERR [SYS/TEMP]')
      await eventually(() => expect(told('"session ended"', '"protocol":"pop3"')).toBe(6))
    })

    test('submission too', async () => {
      const sent = await submitted(sites.berlin, 'lost')
      expect(sent.stdout).toMatch(/^<~\* 4\d\d /m)
      await eventually(() => expect(told('"session ended"', '"protocol":"smtp"')).toBe(6))
    })

    test('HTTP too', async () => {
      const refused = await ask(`${sites.berlin.url}/EWS/Exchange.asmx`, ...as('lost'))
      expect(refused.status).toBe(503)
      expect(refused.field('retry-after')).toMatch(/^\d+$/)
      await eventually(() => expect(told('"request"', '"path":"/EWS/')).toBe(7))
    })

    test('a device that is sent to and fro is told to wait', async () => {
      let [at, count] = [sites.berlin, 0]
      let answer = await ask(...device(at, 'lost'))
      for (; answer.status === 451 && count < 50; count += 1) {
        at = at === sites.berlin ? sites.munich : sites.berlin
        expect(answer.field('x-ms-location')).toContain(at.url)
        answer = await ask(...device(at, 'lost'))
      }
      expect([answer.status, count]).toEqual([503, 16])
      await eventually(() => expect(at.portico.log()).toContain('sent to another site too often'))
    })

    test('a browser that is sent to and fro is told to wait', async () => {
      await Promise.all(both().map((site) => site.redirect({ webMail: 'silent' })))
      const follow = ['-L', '--location-trusted', '--max-redirs', '50']
      const last = await ask(`${sites.berlin.url}/owa/`, ...as('gone'), ...BROWSER, ...follow)
      expect(last.status).toBe(503)
    })
  })

  async function signedIn(site: Site, user: string, person: readonly string[]): Promise<Fetched> {
    const page = await ask(`${site.url}/owa/auth/logon.aspx`, ...person)
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(page.body) ?? []
    const fields = { token, destination: '/owa/?id=7', username: user, password: passwordOf(user) }
    const data = Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
    return ask(`${site.url}/owa/auth.owa`, ...person, ...data, '-H', `Origin: ${site.url}`)
  }

  function submitted(site: Site, user: string) {
    const to = ['--from', `${user}@test.lan`, '--to', `${user}@test.lan`, '--header', `Subject: by ${user}`]
    const login = ['--auth', 'PLAIN', '-au', user, '-ap', passwordOf(user)]
    return run('swaks', [
      '--server',
      '127.0.0.1',
      '--port',
      String(site.portico.ports.submissions),
      '-tlsc',
      ...to,
      ...login,
    ])
  }

  function imap(site: Site, user: string, password: string): Promise<string> {
    return octets(site.portico.ports.imaps, `a LOGIN ${user} ${password}\r\nb LOGOUT\r\n`)
  }

  /** All that is said by a server to somebody who says this, to the end. */
  async function octets(port: number, text: string): Promise<string> {
    const ca = testCertificates().ca.certificateFile
    const args = ['s_client', '-quiet', '-connect', `127.0.0.1:${port}`, '-CAfile', ca]
    return (await run('openssl', [...args, '-ign_eof'], { input: text })).stdout
  }
})
