// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, settingsFile, succeed } from '../lib/clients.js'
import { eventually, scenario } from '../lib/scenario.js'
import {
  ACTIVE_SYNC,
  DAV,
  SOGO_STAGE_PROGRAMS,
  type SogoStage,
  startSogoStage,
  WEB_MAIL,
  WEB_MAIL_FILES,
} from '../lib/sogo-stage.js'
import { WBXML_PROGRAMS, wbxmlFile, xmlOf } from '../lib/wbxml.js'

/** It shows its pages to browsers that it knows. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'

const PHONES = '/Microsoft-Server-ActiveSync'

const MESSAGE = (subject: string): string =>
  `From: carol@test.lan\r\nTo: alice@test.lan\r\nSubject: ${subject}\r\n\r\nlunch?\r\n`

const PROGRAMS = [...SOGO_STAGE_PROGRAMS, ...WBXML_PROGRAMS, 'curl', 'vdirsyncer']

scenario('HTTP in front of SOGo', { programs: PROGRAMS, root: true }, () => {
  let stage: SogoStage
  const ca = (): string => testCertificates().ca.certificateFile
  const url = (path: string): string => `https://localhost:${stage.portico.ports.https}${path}`

  beforeAll(async () => {
    stage = await startSogoStage({ http: { directories: [WEB_MAIL, WEB_MAIL_FILES, DAV, ACTIVE_SYNC] } })
    stage.dovecot.deliver('alice', MESSAGE('for alice'))
  })
  afterAll(() => stage?.[Symbol.asyncDispose]())

  /** As alice, when nobody else is named: status and content. */
  const curl = async (path: string, ...more: string[]) => {
    const me = more.includes('-u') ? [] : ['-u', 'alice:alicepw']
    const args = ['-sS', '--cacert', ca(), '-A', BROWSER, ...me, '-w', '\n%{http_code}', ...more, url(path)]
    const said = await succeed('curl', args)
    const end = said.lastIndexOf('\n')
    return { status: Number(said.slice(end + 1)), content: said.slice(0, end) }
  }
  const JSON_FIELD = ['-H', 'Content-Type: application/json']

  test('web mail: the page, its scripts, the list of messages and one of them', async () => {
    const page = await curl('/SOGo/', '-L')
    expect(page).toMatchObject({ status: 200, content: expect.stringContaining('<title') })
    const script = /src="(\/SOGo\.woa\/WebServerResources\/[^"]+\.js)[^"]*"/.exec(page.content)?.[1] ?? 'none'
    expect((await curl(script)).status).toBe(200)
    const list = await curl('/SOGo/so/alice/Mail/0/folderINBOX/view', ...JSON_FIELD, '-d', '{}')
    expect(JSON.parse(list.content)).toMatchObject({ uids: [1], unseenCount: 1 })
    expect(list.content).toContain('for alice')
    expect((await curl('/SOGo/so/alice/Mail/0/folderINBOX/1/view')).content).toContain('lunch?')
  })

  test('web mail: a message with an attachment of 3 MiB is sent, and comes whole', async () => {
    const folder = privateFolder('up')
    writeFileSync(join(folder, 'big.txt'), 'portico '.repeat(400_000))
    const draft = await curl('/SOGo/so/alice/Mail/0/compose')
    const { draftId } = JSON.parse(draft.content) as { readonly draftId: string }
    const path = `/SOGo/so/alice/Mail/0/folderDrafts/${draftId}`
    const saved = await curl(`${path}/save`, '-F', `attachments=@${folder}/big.txt`)
    // SOGo writes the address of the attachment as clients reach it.
    expect(saved).toMatchObject({ status: 200, content: expect.stringContaining(url('/SOGo/so/alice/Mail/')) })
    const written = { from: 'alice@test.lan', to: ['bob@test.lan'], subject: 'from the web', text: 'hello' }
    expect((await curl(`${path}/send`, ...JSON_FIELD, '-d', JSON.stringify(written))).status).toBe(200)
    const [message = ''] = await stage.dovecot.mailOf('bob', 1)
    expect(message).toContain('Subject: from the web')
    expect(message.length).toBeGreaterThan(3 * 1024 ** 2)
  })

  test.each(['alice', 'bob'])('vdirsyncer finds and synchronises the calendar and the contacts of %s', async (user) => {
    const { folder } = settingsFile('x', '')
    const kinds = [
      ['caldav', 'ics', 'Calendar', EVENT],
      ['carddav', 'vcf', 'Contacts', CARD],
    ] as const
    const storage = (kind: string, ending: string): string => `[pair ${kind}]
a = "near${kind}"
b = "far${kind}"
collections = ["from b"]
[storage near${kind}]
type = "filesystem"
path = "${folder}/${kind}"
fileext = ".${ending}"
[storage far${kind}]
type = "${kind}"
url = "${url('/')}"
username = "${user}"
password = "${user}pw"
verify = "${ca()}"
`
    for (const [kind] of kinds) mkdirSync(join(folder, kind))
    const blocks = kinds.map(([kind, ending]) => storage(kind, ending)).join('')
    writeFileSync(join(folder, 'config'), `[general]\nstatus_path = "${folder}/status"\n${blocks}`)
    const sync = (verb: string) =>
      succeed('vdirsyncer', ['-c', join(folder, 'config'), verb], { input: 'y\n'.repeat(20) })
    await sync('discover')
    for (const [kind, ending, , item] of kinds) writeFileSync(join(folder, kind, 'personal', `one.${ending}`), item)
    await sync('sync')
    for (const [, ending, place] of kinds) {
      const listed = await curl(`/SOGo/dav/${user}/${place}/personal/`, '-u', `${user}:${user}pw`, '-X', 'PROPFIND')
      expect(listed.content).toMatch(new RegExp(`/SOGo/dav/${user}/${place}/personal/[^<]+\\.${ending}`))
    }
  })

  test('one’s calendar is not another’s', async () => {
    expect((await curl('/SOGo/dav/alice/Calendar/personal/', '-u', 'bob:bobpw', '-X', 'PROPFIND')).status).toBe(404)
  })

  test('nobody is somebody else by the header that SOGo trusts', async () => {
    const as = ['-H', 'X-WebObjects-Remote-User: bob']
    expect((await curl('/SOGo/dav/bob/Calendar/personal/', ...as, '-X', 'PROPFIND')).status).toBe(404)
    const done = await run('curl', [
      '-sS',
      '--cacert',
      ca(),
      ...as,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      url('/SOGo/'),
    ])
    expect(done.stdout).toBe('401')
  })

  /** One command of a phone of alice's: MS-ASCMD in MS-ASWBXML. */
  const phone = (command: string, xml: string): Promise<string> =>
    phoneAsks(`Cmd=${command}&User=alice&DeviceId=PHONE1&DeviceType=SmartPhone`, xml)
  const phoneAsks = async (query: string, xml: string): Promise<string> => {
    const answer = join(privateFolder('as'), 'answer')
    const said = await curl(
      `${PHONES}?${query}`,
      ...['-H', 'MS-ASProtocolVersion: 14.1', '-H', 'Content-Type: application/vnd.ms-sync.wbxml'],
      ...['--data-binary', `@${await wbxmlFile(xml)}`, '-o', answer],
    )
    expect(said.status).toBe(200)
    return xmlOf(answer)
  }
  const between = (xml: string, element: string): string =>
    new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1] ?? ''

  const FOLDER_SYNC = '<FolderSync xmlns="FolderHierarchy:"><SyncKey>0</SyncKey></FolderSync>'
  const folderSync = (): Promise<string> => phone('FolderSync', FOLDER_SYNC)
  const inboxIn = (folders: string): string =>
    /<ServerId>([^<]*)<\/ServerId>\s*<ParentId>0<\/ParentId>\s*<DisplayName>INBOX</.exec(folders)?.[1] ?? ''
  const sync = (folder: string, key: string): Promise<string> =>
    phone(
      'Sync',
      `<Sync xmlns="AirSync:"><Collections><Collection><SyncKey>${key}</SyncKey><CollectionId>${folder}</CollectionId>${key === '0' ? '' : '<GetChanges>1</GetChanges>'}</Collection></Collections></Sync>`,
    )

  test('ActiveSync: what the server can do, from OPTIONS', async () => {
    const said = await curl(PHONES, '-X', 'OPTIONS', '-i')
    expect(said.content).toMatch(/^MS-ASProtocolVersions: .*14\.1/im)
    expect(said.content).toMatch(/^MS-ASProtocolCommands: .*Ping/im)
  })

  test('ActiveSync: folders, then the messages of one', async () => {
    const folders = await folderSync()
    expect(between(folders, 'Status')).toBe('1')
    const inbox = inboxIn(folders)
    const first = await sync(inbox, '0')
    const second = await sync(inbox, between(first, 'SyncKey'))
    expect(second).toMatch(/<Subject[^>]*>for alice</)
  })

  test('ActiveSync: the query in base64 says the same, and the log has the phone', async () => {
    expect(inboxIn(await phoneAsks(base64Query(9, 'PHONE2', 'Tablet'), FOLDER_SYNC))).toBe(inboxIn(await folderSync()))
    const line = await stage.portico.logged(/(?=.*"message":"device").*PHONE2/)
    expect(JSON.parse(line)).toMatchObject({ user: 'alice', device: 'PHONE2', type: 'Tablet', version: '14.1' })
  })

  test('ActiveSync: who names another’s mailbox gets the own one', async () => {
    const query = 'Cmd=FolderSync&User=bob&DeviceId=PHONE1&DeviceType=SmartPhone'
    expect(inboxIn(await phoneAsks(query, FOLDER_SYNC))).toBe(inboxIn(await folderSync()))
  })

  test('ActiveSync: a Ping waits until a message comes', async () => {
    const inbox = inboxIn(await folderSync())
    // The server has no answer's content when there is nothing new.
    for (let said = await sync(inbox, '0'); said !== ''; ) said = await sync(inbox, between(said, 'SyncKey'))
    const parked = phone(
      'Ping',
      `<Ping xmlns="Ping:"><HeartbeatInterval>30</HeartbeatInterval><Folders><Folder><Id>${inbox}</Id><Class>Email</Class></Folder></Folders></Ping>`,
    )
    await stage.sogo.logged(/detecting changes for user alice in Ping/)
    stage.dovecot.deliver('alice', MESSAGE('while the phone waits'))
    const said = await parked
    // 2: there are changes in these folders (MS-ASCMD section 2.2.1.13).
    expect(between(said, 'Status')).toBe('2')
    expect(said).toContain(`<Folder>${inbox}</Folder>`)
  })

  test('ActiveSync: a message is sent', async () => {
    const { file } = settingsFile(
      'mail',
      MESSAGE('from the phone').replace('alice@', 'bob@').replace('carol@', 'alice@'),
    )
    const query = 'Cmd=SendMail&User=alice&DeviceId=PHONE1&DeviceType=SmartPhone&SaveInSent=T'
    const more = ['-H', 'MS-ASProtocolVersion: 12.1', '-H', 'Content-Type: message/rfc822', '--data-binary', `@${file}`]
    expect((await curl(`${PHONES}?${query}`, ...more)).status).toBe(200)
    await eventually(async () => {
      expect((await stage.dovecot.mailOf('bob')).join('')).toContain('Subject: from the phone')
    })
  })

  test('a wrong password is 401, and SOGo hears nothing of it', async () => {
    const before = stage.sogo.log().length
    expect((await curl('/SOGo/dav/alice/', '-u', 'alice:guess', '-X', 'PROPFIND')).status).toBe(401)
    expect(stage.sogo.log().slice(before)).not.toContain('/SOGo/dav/alice/')
  })

  test('no password is in any log line', () => {
    for (const secret of ['alicepw', 'bobpw', 'guess']) {
      expect(stage.portico.log()).not.toContain(secret)
      expect(stage.portico.log()).not.toContain(Buffer.from(`alice:${secret}`).toString('base64'))
    }
  })
})

/** A command of protocol 14.1 in the short form ([MS-ASHTTP] section 2.2.1.1.1.1): no policy key, locale 0x0409. */
function base64Query(command: number, device: string, type: string): string {
  const counted = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
  const octets = [Buffer.from([141, command, 0x09, 0x04]), counted(device), Buffer.from([0]), counted(type)]
  return Buffer.concat(octets).toString('base64')
}

const EVENT = [
  ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//', 'BEGIN:VEVENT', 'UID:one', 'DTSTAMP:20260101T000000Z'],
  ...['DTSTART:20260102T100000Z', 'DTEND:20260102T110000Z', 'SUMMARY:lunch', 'END:VEVENT', 'END:VCALENDAR', ''],
].join('\r\n')

const CARD = ['BEGIN:VCARD', 'VERSION:3.0', 'UID:one', 'FN:Carol', 'N:Carol;;;;', 'END:VCARD', ''].join('\r\n')
