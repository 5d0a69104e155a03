// SPDX-License-Identifier: MIT
import {
  type Dovecot,
  type Postfix,
  type Radicale,
  startDovecot,
  startPostfix,
  startRadicale,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrivedAt } from '../lib/arrival.js'
import { fetched } from '../lib/curl.js'
import { event } from '../lib/dav-items.js'
import { type NamedPlaces, startNamedPlaces } from '../lib/named-places.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { startThunderbird, type Thunderbird } from '../lib/thunderbird.js'

const needs = { programs: ['dovecot', 'postfix', 'radicale', 'thunderbird', 'curl', 'openssl'], root: true }

/** Through the window for new accounts: it is told a name, an address and a password, and nothing else. */
scenario('Thunderbird sets itself up', needs, () => {
  let dovecot: Dovecot
  let postfix: Postfix
  let radicale: Radicale
  let portico: Portico<'imaps' | 'submissions' | 'https' | 'door'>
  let places: NamedPlaces
  let thunderbird: Thunderbird

  beforeAll(async () => {
    dovecot = await startDovecot({ users: { alice: 'alicepw' } })
    postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl })
    dovecot.deliver('alice', 'From: carol@test.lan\r\nTo: alice@test.lan\r\nSubject: welcome\r\n\r\nlunch?\r\n')
    radicale = await startRadicale({ users: { alice: 'alicepw' } })
    portico = await startPortico({
      listeners: {
        imaps: { protocol: 'imap4', tls: 'implicit' },
        submissions: { protocol: 'smtp', tls: 'implicit', connector: 'client' },
        https: { protocol: 'http', tls: 'implicit' },
        door: { protocol: 'http', tls: 'none' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=mbx'],
      backends: { mbx: backend(dovecot, postfix, radicale) },
      more: {
        publish: {
          name: 'Test Mail',
          domains: ['test.lan'],
          imap4: { port: 993, tls: 'implicit' },
          smtp: { port: 465, tls: 'implicit' },
          http: { port: 443 },
        },
        // Calendars are looked for under the whole address, whatever name the document gives.
        auth: { names: { defaultDomain: 'test.lan', domain: 'strip' } },
        http: { httpsUrl: 'https://portico.test.lan', directories: [{ preset: 'autodiscover' }, DAV] },
      },
    })
    await makeCalendar(`https://localhost:${portico.ports.https}/dav/alice/work/`)
    places = await startNamedPlaces({
      'autoconfig.test.lan:443': portico.ports.https,
      'autoconfig.test.lan:80': portico.ports.door,
      'portico.test.lan:443': portico.ports.https,
      'portico.test.lan:993': portico.ports.imaps,
      'portico.test.lan:465': portico.ports.submissions,
    })
    thunderbird = await startThunderbird({
      'network.proxy.type': 1,
      'network.proxy.socks': '127.0.0.1',
      'network.proxy.socks_port': places.port,
      'network.proxy.socks_remote_dns': true,
    })
  })
  afterAll(async () => {
    await thunderbird?.stop()
    await places?.stop()
    await portico?.stop()
    await radicale?.stop()
    await postfix?.stop()
    await dovecot?.stop()
  })

  test('it finds the servers and the calendars by the address, and the account works for reading and sending', async () => {
    const found = await thunderbird.run(SET_UP, 'Alice', 'alice@test.lan', 'alicepw')
    const server = { hostname: 'portico.test.lan', username: 'alice@test.lan', isEncrypted: true, showsPassword: true }
    expect(found).toEqual({
      incoming: { type: 'imap', port: 993, ...server },
      outgoing: { type: 'smtp', port: 465, ...server },
      calendars: ['alice/work'],
    })
    expect(places.asked).toContain('autoconfig.test.lan:443')

    const seen = await thunderbird.read('alice@test.lan', 'alicepw')
    expect(seen.subjects).toEqual(['welcome'])
    expect(seen.text).toContain('lunch?')

    await thunderbird.run(SEND, 'alice@test.lan', 'as it was set up')
    const { text } = await arrivedAt([dovecot], 'alice', 'as it was set up')
    expect(text).toContain('From: Alice <alice@test.lan>')
    expect(places.asked).toContain('portico.test.lan:465')
  })

  test('where only port 80 is there, it is led on', async () => {
    const source = await thunderbird.run(FETCH, 'http://autoconfig.test.lan/mail/config-v1.1.xml')
    expect(source).toBe('xml-from-test portico.test.lan 993')
  })
})

const DAV = {
  preset: 'caldav',
  mount: '/dav',
  backendPath: '/',
  prefixField: 'X-Script-Name',
  wellKnown: ['caldav', 'carddav'],
}

async function makeCalendar(url: string): Promise<void> {
  const me = ['-u', 'alice:alicepw']
  await fetched(url, [...me, '-X', 'MKCALENDAR'])
  const content = ['-H', 'Content-Type: text/calendar', '--data-binary', event('one', 'lunch')]
  await fetched(`${url}one.ics`, [...me, '-X', 'PUT', ...content])
}

function backend(dovecot: Dovecot, postfix: Postfix, radicale: Radicale): unknown {
  const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
  return {
    identity: 'password',
    imap4: { endpoints: [`127.0.0.1:${dovecot.ports.imap}`], tls },
    smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls },
    http: { endpoints: [`http://127.0.0.1:${radicale.port}`] },
  }
}

/** Goes through the steps of the window. Gives the servers that it shows before it asks for the password, and the calendars that it offers behind. */
const SET_UP = `
const [name, address, password] = args
const window = Services.wm.getMostRecentWindow('mail:3pane')
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
const { Ci: { nsMsgSocketType, nsMsgAuthMethod } } = globalThis
const soon = () => new Promise((resolve) => setTimeout(resolve, 50))
/** Within shadow trees, too. */
const every = (selector, within = window.document) => [
  ...within.querySelectorAll(selector),
  ...[...within.querySelectorAll('*')].flatMap(({ shadowRoot }) => (shadowRoot ? every(selector, shadowRoot) : [])),
]
const step = async (id) => {
  for (;;) {
    const [view] = every('#' + id)
    if (view && !view.hidden && !every('account-hub-email')[0].classList.contains('busy')) return view
    const [problem] = every('.notification-error, .error').filter(({ textContent }) => textContent.trim() !== '')
    if (problem?.checkVisibility()) throw new Error(problem.textContent.trim())
    await soon()
  }
}
const type = (view, selector, text) => {
  const [field] = every(selector, view)
  field.value = text
  field.dispatchEvent(new window.Event('input', { bubbles: true }))
}
const press = async (name) => {
  const button = () => every('#' + name, every('account-hub-email account-hub-footer')[0])[0]
  while (button().disabled) await soon()
  button().click()
}
const goOn = () => press('forward')
await window.openAccountHub('MAIL')
const first = await step('emailAutoConfigSubview')
type(first, '#realName', name)
type(first, '#email', address)
await goOn()
const { incoming, outgoing } = (await step('emailConfigFoundSubview')).captureState()
await goOn()
type(await step('emailPasswordSubview'), '#password', password)
await goOn()
const { calendars } = (await step('emailSyncAccountsSubview')).captureState()
// It would ask for the password once more in a window of its own.
await press('back')
await step('emailAddedSuccessSubview')
const shown = ({ type, hostname, port, username, socketType, auth }) => ({
  type,
  hostname,
  port,
  username,
  isEncrypted: socketType === nsMsgSocketType.SSL,
  showsPassword: auth === nsMsgAuthMethod.passwordCleartext,
})
return { incoming: shown(incoming), outgoing: shown(outgoing), calendars: calendars.map(({ name }) => name) }
`

/** Sends a message to the account's own address, by the account's own server. */
const SEND = `
const [address, subject] = args
const { classes, interfaces } = Components
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
const [account] = MailServices.accounts.accounts
const identity = account.defaultIdentity
const fields = classes['@mozilla.org/messengercompose/composefields;1'].createInstance(interfaces.nsIMsgCompFields)
fields.from = MailServices.headerParser.makeMimeAddress(identity.fullName, identity.email)
Object.assign(fields, { to: address, subject })
identity.doFcc = false
const send = classes['@mozilla.org/messengercompose/send;1'].createInstance(interfaces.nsIMsgSend)
await new Promise((resolve, reject) => send.createAndSendMessage(
  null, identity, account.key, fields, false, false, interfaces.nsIMsgCompDeliverMode.Now, null, 'text/plain', 'sent\\r\\n',
  null, null, {
    QueryInterface: ChromeUtils.generateQI(['nsIMsgSendListener']),
    onStartSending() {},
    onProgress() {},
    onSendProgress() {},
    onStatus() {},
    onGetDraftFolderURI() {},
    onSendNotPerformed: () => reject(new Error('not sent')),
    onTransportSecurityError: () => reject(new Error('no security')),
    onStopSending: (_id, status) => (status === 0 ? resolve() : reject(new Error('status ' + status.toString(16)))),
  }, null, null, interfaces.nsIMsgCompType.New,
))
`

const FETCH = `
const { fetchHTTP } = ChromeUtils.importESModule('resource:///modules/accountcreation/FetchHTTP.sys.mjs')
const { readFromXML } = ChromeUtils.importESModule('resource:///modules/accountcreation/readFromXML.sys.mjs')
const xml = await fetchHTTP(args[0], { urlArgs: { emailaddress: 'alice@test.lan' }, signal: new AbortController().signal })
const { subSource, incoming } = readFromXML(xml, 'test')
return [subSource, incoming.hostname, incoming.port].join(' ')
`
