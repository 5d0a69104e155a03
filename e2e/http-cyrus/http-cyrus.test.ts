// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { CYRUS_HTTP_PROGRAMS, type Cyrus, startCyrus, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { python } from '../lib/clients.js'
import { type Fetched, fetched } from '../lib/curl.js'
import { card, event } from '../lib/dav-items.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'
import { synchronised } from '../lib/vdirsyncer.js'

const PROGRAMS = [...CYRUS_HTTP_PROGRAMS, 'curl', 'vdirsyncer', 'python3', 'openssl']
const USED = ['core', 'mail', 'submission'].map((name) => `urn:ietf:params:jmap:${name}`)

/** alice's server is reached in the clear, bob's over TLS. */
scenario('JMAP and DAV in front of two Cyruses', { programs: PROGRAMS, root: true }, () => {
  let cyruses: Readonly<Record<'alice' | 'bob', Cyrus>>
  let portico: Portico<'https'>
  const ca = (): string => testCertificates().ca.certificateFile
  const door = (): string => `https://localhost:${portico.ports.https}`

  beforeAll(async () => {
    const [first, second] = await Promise.all([
      startCyrus({ name: 'mbx1', users: { alice: 'alicepw' }, http: true }),
      startCyrus({ name: 'mbx2', users: { bob: 'bobpw' }, http: true }),
    ])
    cyruses = { alice: first, bob: second }
    for (const user of ['alice', 'bob'] as const) {
      await cyruses[user].deliver(user, `From: carol@test.lan\r\nSubject: for ${user}\r\n\r\nlunch?\r\n`)
    }
    const tls = { mode: 'implicit', ca: ca(), servername: 'localhost' }
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: {
        mbx1: { identity: 'password', http: { endpoints: [`http://127.0.0.1:${first.ports.http}`] } },
        mbx2: { identity: 'password', http: { endpoints: [`https://127.0.0.1:${second.ports.https}`], tls } },
      },
      more: {
        http: {
          directories: [{ preset: 'jmap' }, { mount: '/dav', backendPath: '/dav', wellKnown: ['caldav', 'carddav'] }],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all(Object.values(cyruses ?? {}).map((cyrus) => cyrus.stop()))
  })

  const as = (user: string): readonly string[] => ['-u', `${user}:${user}pw`]
  const ask = (user: string, path: string, ...more: readonly string[]): Promise<Fetched> =>
    fetched(door() + path, [...as(user), ...more])
  const jmap = async (user: string, ...methodCalls: readonly unknown[]) => {
    const body = JSON.stringify({ using: USED, methodCalls })
    const said = await ask(user, '/jmap/', '-H', 'Content-Type: application/json', '--data-binary', body)
    expect(said.status, said.body).toBe(200)
    return (JSON.parse(said.body) as { methodResponses: [string, Record<string, unknown>, string][] }).methodResponses
  }

  describe.each(['alice', 'bob'] as const)('JMAP (RFC 8620), %s', (user) => {
    test('the session resource is the one that Cyrus itself gives, found by its well-known address', async () => {
      const here = await ask(user, '/.well-known/jmap', '-L')
      const there = await fetched(`http://127.0.0.1:${cyruses[user].ports.http}/jmap`, as(user))
      expect(here.status).toBe(200)
      expect(here.body).toBe(there.body)
      expect(JSON.parse(here.body)).toMatchObject({ username: user, apiUrl: '/jmap/' })
    })

    test('a message is found by a query with a reference to its result (section 3.7)', async () => {
      const ids = { resultOf: 'q', name: 'Email/query', path: '/ids' }
      const responses = await jmap(
        user,
        ['Email/query', { accountId: user }, 'q'],
        ['Email/get', { accountId: user, '#ids': ids, properties: ['subject', 'preview'] }, 'g'],
      )
      expect(responses.at(-1)?.[1]['list']).toEqual([
        { id: expect.any(String), subject: `for ${user}`, preview: 'lunch? ' },
      ])
    })

    test('five megabytes go up and come down again as they were (section 6)', async () => {
      const blob = randomBytes(5_000_000).toString('base64').slice(0, 5_000_000)
      const up = await fetched(
        `${door()}/jmap/upload/${user}/`,
        [
          ...as(user),
          '-H',
          'Content-Type: application/octet-stream',
          '-H',
          'Transfer-Encoding: chunked',
          '-T',
          '-',
          '-X',
          'POST',
        ],
        { input: blob },
      )
      expect(up.status, up.body).toBe(201)
      const { blobId, size } = JSON.parse(up.body) as { blobId: string; size: number }
      expect(size).toBe(blob.length)
      const down = await ask(user, `/jmap/download/${user}/${blobId}/big.bin?accept=application/octet-stream`)
      expect(down.status).toBe(200)
      expect(down.body === blob).toBe(true)
    })
  })

  test('JMAP: nobody reads the mail of another', async () => {
    const [response] = await jmap('alice', ['Email/query', { accountId: 'bob' }, 'q'])
    expect(response).toEqual(['error', expect.objectContaining({ type: 'accountNotFound' }), 'q'])
  })

  test('what Cyrus offers its neighbours stays behind the door (RFC 9110 section 7.8, RFC 7838)', async () => {
    const { field } = await ask('alice', '/jmap')
    expect(field('upgrade')).toBeUndefined()
    expect(field('alt-svc')).toBeUndefined()
  })

  test.each([
    ['a calendar of alice', 'alice', 'caldav', 'one.ics', event('one', 'lunch of alice')],
    ['an address book of bob', 'bob', 'carddav', 'two.vcf', card('two', 'Carol of bob')],
  ] as const)('vdirsyncer keeps %s in step', async (_label, user, type, name, item) => {
    const storage = { type, url: `${door()}/`, user, password: `${user}pw`, ca: ca() }
    const here = synchronised(storage)
    await here.discover()
    await here.sync()
    expect(here.items('Default')).toEqual({})
    here.put('Default', name, item)
    await here.sync()
    const another = synchronised(storage)
    await another.discover()
    await another.sync()
    expect(Object.values(another.items('Default'))).toEqual([expect.stringContaining(` of ${user}`)])
  })

  test.each(['alice', 'bob'])(
    'the Python library makes, fills, searches and removes a calendar of %s',
    async (user) => {
      const said = await python(CALDAV, door(), ca(), user, event('three', 'meeting'))
      expect(said.trim().split('\n')).toEqual([
        'found Default',
        'made work',
        "search ['meeting']",
        'changed moved',
        'events 1',
        'gone True',
      ])
    },
  )

  test('a wrong password is 401 for every kind of client, and Cyrus hears of none', async () => {
    for (const path of ['/jmap', '/dav/calendars/user/alice/']) {
      const said = await fetched(door() + path, ['-u', 'alice:guess'])
      expect(said.status).toBe(401)
      expect(said.field('www-authenticate')).toMatch(/^basic realm="/i)
      // Cyrus names itself in each of its answers.
      expect(said.field('server')).toBeUndefined()
    }
  })
})

const CALDAV = `
import sys, datetime, caldav
base, ca, user, text = sys.argv[1:]
client = caldav.DAVClient(url=base + '/dav/principals/user/' + user + '/', username=user, password=user + 'pw', ssl_verify_cert=ca)
me = client.principal()
print('found', *[c.url.path.split('/')[-2] for c in me.calendars() if c.url.path.split('/')[-2] == 'Default'])
work = me.make_calendar(name='work', cal_id='work')
print('made', work.url.path.split('/')[-2])
work.save_event(text)
day = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
found = work.date_search(start=day, end=day + datetime.timedelta(days=1), expand=False)
print('search', [e.vobject_instance.vevent.summary.value for e in found])
event = found[0]
event.vobject_instance.vevent.summary.value = 'moved'
event.save()
print('changed', work.event_by_uid('three').vobject_instance.vevent.summary.value)
print('events', len(work.events()))
work.delete()
print('gone', 'work' not in [c.url.path.split('/')[-2] for c in me.calendars()])
`
