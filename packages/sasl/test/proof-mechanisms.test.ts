// SPDX-License-Identifier: MIT
import { createHash, createHmac } from 'node:crypto'
import { CancellationSource } from '@portico/base'
import {
  apop,
  cramMd5,
  deriveScramKeys,
  type ScramClientOptions,
  type ScramHash,
  type ScramName,
  type StoredSecret,
  scram,
  scramClient,
} from '@portico/sasl'
import { proofMechanismCompliance } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const NAMES: readonly ScramName[] = ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']
const hashOf = (name: ScramName): ScramHash => (name.startsWith('SCRAM-SHA-256') ? 'sha256' : 'sha1')
const SALT = Buffer.from('a salt of theirs')
const CHANNEL = { 'tls-exporter': Buffer.from('exported'), 'tls-server-end-point': Buffer.from('hashed') }

async function storedScram(hash: ScramHash, password: string, salt: Uint8Array, iterations: number) {
  const { storedKey, serverKey } = await deriveScramKeys(hash, password, salt, iterations)
  return { kind: 'scram', salt, iterations, storedKey, serverKey } as const
}

const storedCram = (password: string): StoredSecret => ({
  kind: 'cram-md5',
  digest: (challenge) => createHmac('md5', password).update(challenge).digest(),
})

for (const name of NAMES) {
  const hash = hashOf(name)
  proofMechanismCompliance({
    mechanism: scram(name),
    stored: (password) => storedScram(hash, password, SALT, 10),
    client(credentials) {
      const data = Buffer.from('the tls-exporter of this channel')
      const binding = name.endsWith('-PLUS') ? { binding: { type: 'tls-exporter', data } } : {}
      const client = scramClient({ ...credentials, hash, nonce: 'fixed', ...binding })
      let verified = false
      return async (challenge) => {
        if (challenge === undefined) return client.first
        if (verified) throw new Error('nothing comes after the last word')
        if (Buffer.from(challenge).subarray(0, 2).toString() !== 'v=') return client.final(challenge)
        verified = client.verify(challenge)
        return verified ? Buffer.alloc(0) : Buffer.from('*')
      }
    },
  })
}

proofMechanismCompliance({
  mechanism: cramMd5(),
  stored: async (password) => storedCram(password),
  client:
    ({ authcid, password }) =>
    async (challenge) => {
      if (challenge === undefined) return undefined
      return Buffer.from(`${authcid} ${createHmac('md5', password).update(challenge).digest('hex')}`)
    },
})

/** Steps as text; the verifier believes whatever the mechanism found proved. */
async function play(
  mechanism: ReturnType<typeof scram>,
  secret: StoredSecret,
  script: readonly (string | undefined)[],
  more: { readonly offered?: readonly string[]; readonly localName?: string; readonly timestamp?: string } = {},
) {
  const asked: unknown[] = []
  const exchange = mechanism.begin({
    verifier: {
      verifyPlain: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      verifyCertificate: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      anonymous: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      async lookup({ authcid, authzid }) {
        asked.push(authzid === undefined ? authcid : `${authcid} as ${authzid}`)
        const conclude = async (proved: boolean) =>
          proved ? ({ kind: 'accepted' } as const) : ({ kind: 'rejected', reason: 'invalid-credentials' } as const)
        return { kind: 'found', secret, conclude }
      },
    },
    channel: { encrypted: true, channelBinding: (type) => CHANNEL[type] },
    localName: more.localName ?? 'mail.example.com',
    offered: more.offered ?? [],
    ...(more.timestamp === undefined ? {} : { timestamp: more.timestamp }),
    signal: new CancellationSource(),
  })
  const steps: string[] = []
  for (const response of script) {
    const step = await exchange.step(response === undefined ? undefined : Buffer.from(response))
    if (step.kind === 'challenge') steps.push(Buffer.from(step.data).toString())
    else steps.push(step.kind === 'failure' ? step.reason : `success ${step.authcid}`)
  }
  return { steps, asked }
}

describe('SCRAM', () => {
  test('the conversation of RFC 5802 section 5', async () => {
    const secret = await storedScram('sha1', 'pencil', Buffer.from('QSXCR+Q6sek8bf92', 'base64'), 4096)
    const { steps } = await play(
      scram('SCRAM-SHA-1', () => '3rfcNHYJY1ZVvWVs7j'),
      secret,
      [
        'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
        'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
        '',
      ],
    )
    expect(steps).toEqual([
      'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
      'success user',
    ])
  })

  test('the conversation of RFC 7677 section 3', async () => {
    const secret = await storedScram('sha256', 'pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
    const { steps } = await play(
      scram('SCRAM-SHA-256', () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'),
      secret,
      [
        'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
        '',
      ],
    )
    expect(steps).toEqual([
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
      'success user',
    ])
  })

  const secret = storedScram('sha256', 'pencil', SALT, 10)
  const plus = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']

  test.each([
    ['=2C and =3D are comma and equals sign (section 5.1)', 'n,,n=a=2Cb=3Dc,r=x', 'a,b=c'],
    ['an authzid goes on, unescaped', 'n,a=bo=2Cb,n=alice,r=x', 'alice as bo,b'],
    ['names are prepared (RFC 4013)', 'n,,n=I\u00adX,r=x', 'IX'],
    ['extensions that may be ignored', 'n,,n=alice,r=x,t=1', 'alice'],
    ['y where -PLUS was not offered', 'y,,n=alice,r=x', 'alice'],
  ])('%s', async (_label, message, asked) => {
    expect((await play(scram('SCRAM-SHA-256'), await secret, [message])).asked).toEqual([asked])
  })

  test.each([
    ['another use of =', 'n,,n=a=2cb,r=x', 'malformed'],
    ['a reserved extension (m=)', 'n,,m=1,n=alice,r=x', 'malformed'],
    ['an empty nonce', 'n,,n=alice,r=', 'malformed'],
    ['a nonce with a space', 'n,,n=alice,r=a b', 'malformed'],
    ['an empty authzid', 'n,a=,n=alice,r=x', 'malformed'],
    ['no header', 'n=alice,r=x', 'malformed'],
    ['an unknown flag', 'z,,n=alice,r=x', 'malformed'],
    ['channel binding without -PLUS', 'p=tls-exporter,,n=alice,r=x', 'malformed'],
    ['an empty name', 'n,,n=,r=x', 'invalid-credentials'],
    ['a line break in the name', 'n,,n=al\r\nice,r=x', 'malformed'],
    ['a NUL in the name', 'n,,n=al\0ice,r=x', 'malformed'],
    ['a name of 1,025 octets', `n,,n=${'a'.repeat(1025)},r=x`, 'too-long'],
  ])('%s is refused before anybody is asked', async (_label, message, reason) => {
    const { steps, asked } = await play(scram('SCRAM-SHA-256'), await secret, [message])
    expect({ steps, asked }).toEqual({ steps: [reason], asked: [] })
  })

  test('y where -PLUS was offered: somebody took it out of the list (section 6)', async () => {
    const { steps, asked } = await play(scram('SCRAM-SHA-256'), await secret, ['y,,n=alice,r=x'], { offered: plus })
    expect({ steps, asked }).toEqual({ steps: ['invalid-credentials'], asked: [] })
  })

  test('n where -PLUS was offered: a client that cannot is let in', async () => {
    const { asked } = await play(scram('SCRAM-SHA-256'), await secret, ['n,,n=alice,r=x'], { offered: plus })
    expect(asked).toEqual(['alice'])
  })

  test.each([
    ['no channel binding in -PLUS', 'n,,n=alice,r=x', 'malformed'],
    ['y in -PLUS', 'y,,n=alice,r=x', 'malformed'],
    ['tls-unique, which no server should give any more (RFC 9266)', 'p=tls-unique,,n=alice,r=x', 'invalid-credentials'],
  ])('%s', async (_label, message, reason) => {
    expect((await play(scram('SCRAM-SHA-256-PLUS'), await secret, [message])).steps).toEqual([reason])
  })

  /** The whole conversation of a client, with a chance to spoil its final message. */
  async function converse(
    name: ScramName,
    options: Omit<ScramClientOptions, 'hash' | 'nonce' | 'authcid'>,
    spoil = (final: string) => final,
  ) {
    const client = scramClient({ ...options, authcid: 'alice', hash: hashOf(name), nonce: 'mine' })
    const mechanism = scram(name, () => 'theirs')
    const stored = await storedScram(hashOf(name), 'pencil', SALT, 10)
    const begun = await play(mechanism, stored, [client.first.toString()])
    const final = (await client.final(Buffer.from(begun.steps[0] ?? ''))).toString()
    return (await play(mechanism, stored, [client.first.toString(), spoil(final), ''])).steps.slice(1)
  }

  test.each(['tls-exporter', 'tls-server-end-point'] as const)('%s binds (RFC 9266, RFC 5929)', async (type) => {
    const binding = { type, data: CHANNEL[type] }
    const steps = await converse('SCRAM-SHA-256-PLUS', { password: 'pencil', binding })
    expect(steps).toEqual([expect.stringMatching(/^v=/), 'success alice'])
  })

  test('the right password over another channel is no proof', async () => {
    const binding = { type: 'tls-exporter', data: Buffer.from('of a man in the middle') }
    expect((await converse('SCRAM-SHA-256-PLUS', { password: 'pencil', binding }))[0]).toBe('invalid-credentials')
  })

  test.each([
    ['another nonce', (final: string) => final.replace('theirs', 'others'), 'malformed'],
    ['a changed header', (final: string) => final.replace('biws', 'eSws'), 'invalid-credentials'],
    ['a short proof', (final: string) => final.replace(/p=.*/, 'p=AAAA'), 'invalid-credentials'],
    ['no proof', (final: string) => final.replace(/,p=.*/, ''), 'malformed'],
    ['a proof that is not base64', (final: string) => final.replace(/p=.*/, 'p=A'), 'malformed'],
    ['an extension that was signed without', (final: string) => final.replace(',p=', ',x=1,p='), 'invalid-credentials'],
  ])('%s', async (_label, spoil, reason) => {
    expect((await converse('SCRAM-SHA-256', { password: 'pencil' }, spoil))[0]).toBe(reason)
  })

  test('anything but nothing in answer to the last word is malformed', async () => {
    const client = scramClient({ hash: 'sha256', authcid: 'alice', password: 'pencil', nonce: 'mine' })
    const stored = await secret
    const mechanism = scram('SCRAM-SHA-256', () => 'theirs')
    const begun = await play(mechanism, stored, [client.first.toString()])
    const final = (await client.final(Buffer.from(begun.steps[0] ?? ''))).toString()
    for (const last of ['x', undefined]) {
      expect((await play(mechanism, stored, [client.first.toString(), final, last])).steps.at(-1)).toBe('malformed')
    }
  })

  test('a client does not take a server that it has not spoken to, nor one without the password', async () => {
    const client = scramClient({ hash: 'sha256', authcid: 'alice', password: 'pencil', nonce: 'mine' })
    expect(client.verify(Buffer.from('v='))).toBe(false)
    await expect(client.final(Buffer.from('r=mine,s=AAAA,i=10'))).rejects.toThrow(TypeError)
    await expect(client.final(Buffer.from('r=yours,s=AAAA,i=10'))).rejects.toThrow(TypeError)
    await client.final(Buffer.from('r=mineandmore,s=AAAA,i=10'))
    expect(client.verify(Buffer.from('v=AAAA'))).toBe(false)
  })
})

describe('CRAM-MD5 (RFC 2195)', () => {
  const tim = storedCram('tanstaaftanstaaf')
  const mechanism = cramMd5(() => '1896.697170952')

  test('the example of section 2', async () => {
    const { steps } = await play(mechanism, tim, [undefined, 'tim b913a602c7eda7a495b4e6e7334d3890'], {
      localName: 'postoffice.reston.mci.net',
    })
    expect(steps).toEqual(['<1896.697170952@postoffice.reston.mci.net>', 'success tim'])
  })

  test('the name may hold spaces', async () => {
    const { asked } = await play(mechanism, tim, [undefined, `tim o thy ${'0'.repeat(32)}`])
    expect(asked).toEqual(['tim o thy'])
  })

  test.each([
    ['an initial response', ['tim x'], 'malformed'],
    ['no name', [undefined, ` ${'0'.repeat(32)}`], 'malformed'],
    ['a short digest', [undefined, 'tim 00'], 'malformed'],
    ['capitals', [undefined, `tim ${'A'.repeat(32)}`], 'malformed'],
    ['a NUL', [undefined, `t\0m ${'0'.repeat(32)}`], 'malformed'],
    ['a control character in the name', [undefined, `t\nm ${'0'.repeat(32)}`], 'malformed'],
    ['a name of 1,025 octets', [undefined, `${'a'.repeat(1025)} ${'0'.repeat(32)}`], 'too-long'],
  ])('%s', async (_label, script, reason) => {
    const { steps, asked } = await play(mechanism, tim, script)
    expect(steps.at(-1)).toBe(reason)
    expect(asked).toEqual([])
  })
})

describe('a verifier that judges responses itself', () => {
  const played = async (mechanism: ReturnType<typeof scram>, script: readonly (string | undefined)[]) => {
    const judged: string[] = []
    const refused = async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }) as const
    const exchange = mechanism.begin({
      verifier: {
        verifyPlain: refused,
        verifyCertificate: refused,
        anonymous: refused,
        lookup: async () => ({
          kind: 'judge',
          async judge(challenge, response) {
            judged.push(`${challenge} ${response}`)
            return response.startsWith('0') ? { kind: 'accepted' } : { kind: 'rejected', reason: 'throttled' }
          },
        }),
      },
      channel: { encrypted: true, channelBinding: () => undefined },
      localName: 'mail.example.com',
      offered: [],
      signal: new CancellationSource(),
    })
    let last = ''
    for (const response of script) {
      const step = await exchange.step(response === undefined ? undefined : Buffer.from(response))
      last = step.kind === 'failure' ? step.reason : step.kind
    }
    return { judged, last }
  }

  test.each([
    ['0'.repeat(32), 'success'],
    ['f'.repeat(32), 'throttled'],
  ])('is shown the challenge and the response of CRAM-MD5 as they were: %s', async (response, last) => {
    const { judged, ...rest } = await played(
      cramMd5(() => 'nonce'),
      [undefined, `alice ${response}`],
    )
    expect(rest).toEqual({ last })
    expect(judged).toEqual([`<nonce@mail.example.com> ${response}`])
  })

  test('is of no use to SCRAM, whose server has to prove itself too', async () => {
    expect(await played(scram('SCRAM-SHA-256'), ['n,,n=alice,r=x'])).toEqual({
      judged: [],
      last: 'mechanism-unavailable',
    })
  })
})

describe('APOP (RFC 1939 section 7)', () => {
  const timestamp = '<1896.697170952@dbc.mtview.ca.us>'
  const right = 'mrose c4c9334bac560ecc979e58001b3e22fb'
  const stored: StoredSecret = {
    kind: 'apop',
    digest: (stamp) => createHash('md5').update(stamp).update('tanstaaf').digest(),
  }

  test('the example of the RFC', async () => {
    const { steps, asked } = await play(apop, stored, [right], { timestamp })
    expect({ steps, asked }).toEqual({ steps: ['success mrose'], asked: ['mrose'] })
  })

  test('one digest is good for one timestamp only', async () => {
    const { steps } = await play(apop, stored, [right], { timestamp: '<1897.697170952@dbc.mtview.ca.us>' })
    expect(steps).toEqual(['invalid-credentials'])
  })

  test.each([
    ['no response', [undefined], 'malformed'],
    ['no name', [' c4c9334bac560ecc979e58001b3e22fb'], 'malformed'],
    ['capitals', ['mrose C4C9334BAC560ECC979E58001B3E22FB'], 'malformed'],
    ['a short digest', ['mrose c4'], 'malformed'],
    ['octets that are no UTF-8', ['m\xff'.repeat(2)], 'malformed'],
    ['a mebibyte', ['x'.repeat(1_048_576)], 'too-long'],
  ])('%s is refused before anybody is asked', async (_label, script, reason) => {
    const { steps, asked } = await play(apop, stored, script, { timestamp })
    expect({ steps, asked }).toEqual({ steps: [reason], asked: [] })
  })

  test('without a timestamp in the greeting nothing can be proved', async () => {
    const { steps, asked } = await play(apop, stored, [right])
    expect({ steps, asked }).toEqual({ steps: ['mechanism-unavailable'], asked: [] })
  })

  test('an exchange that has ended does not begin again', async () => {
    const { steps, asked } = await play(apop, stored, ['mrose x', right], { timestamp })
    expect({ steps, asked }).toEqual({ steps: ['malformed', 'aborted'], asked: [] })
  })
})
