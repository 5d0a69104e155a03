// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import {
  anonymous,
  external,
  login,
  loginResponses,
  type Mechanism,
  type MechanismContext,
  plain,
  plainResponse,
  serverMechanisms,
} from '@portico/sasl'
import { mechanismCompliance } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

mechanismCompliance({ mechanism: plain, responses: (credentials) => [plainResponse(credentials)] })
mechanismCompliance({ mechanism: login, responses: ({ authcid, password }) => loginResponses(authcid, password) })

/** What a mechanism makes of the responses, and what its verifier was asked. */
async function play(
  mechanism: Mechanism,
  responses: readonly (Buffer | undefined)[],
  clientCertificate?: MechanismContext['clientCertificate'],
) {
  const asked: unknown[] = []
  const exchange = mechanism.begin({
    verifier: {
      async verifyPlain(credentials) {
        asked.push(credentials)
        return { kind: 'accepted' }
      },
      lookup: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      async verifyCertificate({ certificate, authzid }) {
        asked.push({ certificate, authzid })
        return { kind: 'accepted', authcid: 'alice' }
      },
      async anonymous(trace) {
        asked.push({ trace })
        return { kind: 'accepted' }
      },
    },
    channel: { encrypted: true, channelBinding: () => undefined },
    localName: 'mail.example.com',
    offered: [],
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    signal: new CancellationSource(),
  })
  const steps: string[] = []
  for (const response of responses) {
    const step = await exchange.step(response)
    steps.push(
      step.kind === 'challenge'
        ? `challenge ${Buffer.from(step.data).toString()}`
        : step.kind === 'failure'
          ? `failure ${step.reason}`
          : `success ${step.authcid}${step.authzid === undefined ? '' : ` as ${step.authzid}`}`,
    )
  }
  return { steps, asked }
}

const B = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding)

describe('PLAIN (RFC 4616)', () => {
  test.each([
    ['an authzid is handed on', '\0', B('Ursel\0Kurt\0xipj3plmq'), 'success Kurt as Ursel'],
    ['an empty authzid is none', '', B('\0tim\0tanstaaftanstaaf'), 'success tim'],
    [
      '255 octets in each part (section 2)',
      '',
      B(['z', 'c', 'p'].map((c) => c.repeat(255)).join('\0')),
      /^success c+ as z+$/,
    ],
    ['a name of 1,025 octets', '', B(`\0${'a'.repeat(1025)}\0p`), 'failure too-long'],
    ['no NUL at all', '', B('alice'), 'failure malformed'],
    ['one NUL', '', B('alice\0secret'), 'failure malformed'],
    ['a NUL in the password', '', B('\0alice\0sec\0ret'), 'failure malformed'],
    ['an empty message', '', B(''), 'failure malformed'],
    ['Latin-1 instead of UTF-8', '', B('\0j\xfcrgen\0x', 'latin1'), 'failure malformed'],
    ['an overlong form of NUL', '', B('\0al\xc0\x80ice\0x', 'latin1'), 'failure malformed'],
    ['no name', '', B('\0\0secret'), 'failure invalid-credentials'],
    ['no password', '', B('\0alice\0'), 'failure invalid-credentials'],
    ['a line break in the name', '', B('\0alice\r\nNOOP\0x'), 'failure malformed'],
    ['a line break in the authzid', '', B('a\nb\0alice\0x'), 'failure malformed'],
    [
      'a name of soft hyphens only, which SASLprep maps to nothing (RFC 4013)',
      '',
      B('\0\u00ad\0x'),
      'failure invalid-credentials',
    ],
  ] as const)('%s', async (_label, _note, message, expected) => {
    const { steps, asked } = await play(plain, [message])
    if (typeof expected === 'string') expect(steps).toEqual([expected])
    else expect(steps[0]).toMatch(expected)
    expect(asked).toHaveLength(steps[0]?.startsWith('success') ? 1 : 0)
  })

  test('names are prepared (RFC 4013 section 3); the password goes on as it was sent, because backends get it', async () => {
    const { asked } = await play(plain, [B('\0I\u00adX\0\u00aapass')])
    expect(asked).toEqual([{ authcid: 'IX', authzid: undefined, password: '\u00aapass' }])
  })

  test('a second absent response is malformed', async () => {
    expect((await play(plain, [undefined, undefined])).steps).toEqual(['challenge ', 'failure malformed'])
  })
})

describe('LOGIN (draft-murchison-sasl-login)', () => {
  test('prompts letter by letter as clients expect them', async () => {
    const { steps, asked } = await play(login, [undefined, B('alice'), B('secret')])
    expect(steps).toEqual(['challenge Username:', 'challenge Password:', 'success alice'])
    expect(asked).toEqual([{ authcid: 'alice', authzid: undefined, password: 'secret' }])
  })

  test('an initial response is the user name', async () => {
    expect((await play(login, [B('alice'), B('secret')])).steps).toEqual(['challenge Password:', 'success alice'])
  })

  test.each([
    ['a NUL in the name', [B('al\0ice')], 'failure malformed'],
    ['a NUL in the password', [B('alice'), B('se\0cret')], 'failure malformed'],
    ['an empty name', [B(''), B('secret')], 'failure invalid-credentials'],
    ['an empty password', [B('alice'), B('')], 'failure invalid-credentials'],
    ['a name of 1,025 octets', [B('a'.repeat(1025))], 'failure too-long'],
    ['a second absent response', [undefined, undefined], 'failure malformed'],
    ['an absent password', [B('alice'), undefined], 'failure malformed'],
  ] as const)('%s', async (_label, responses, expected) => {
    const { steps, asked } = await play(login, responses)
    expect(steps.at(-1)).toBe(expected)
    expect(asked).toEqual([])
  })
})

describe('EXTERNAL (RFC 4422 appendix A)', () => {
  const raw = B('a certificate')
  const good = { authorized: true, raw }
  const asked = (authzid?: string) => [{ certificate: good, authzid }]
  test.each([
    ['an empty message: as the certificate says', [B('')], good, ['success alice'], asked()],
    ['another name', [B('bob')], good, ['success alice as bob'], asked('bob')],
    ['after the empty challenge', [undefined, B('')], good, ['challenge ', 'success alice'], asked()],
    ['no certificate', [B('')], undefined, ['failure invalid-credentials'], []],
    ['a certificate of nobody we trust', [B('')], { authorized: false, raw }, ['failure invalid-credentials'], []],
    ['a NUL', [B('a\0b')], good, ['failure malformed'], []],
    ['no UTF-8', [B('\xfc', 'latin1')], good, ['failure malformed'], []],
    ['a line break', [B('a\r\nb')], good, ['failure malformed'], []],
    ['a name of 1,025 octets', [B('a'.repeat(1025))], good, ['failure too-long'], []],
    ['nothing twice', [undefined, undefined], good, ['challenge ', 'failure malformed'], []],
  ] as const)('%s', async (_label, responses, certificate, steps, questions) => {
    expect(await play(external, responses, certificate)).toEqual({ steps, asked: questions })
  })
})

describe('ANONYMOUS (RFC 4505)', () => {
  test.each([
    ['a trace', [B('sirhc@example.com')], ['success anonymous'], [{ trace: 'sirhc@example.com' }]],
    ['an empty trace', [B('')], ['success anonymous'], [{ trace: '' }]],
    ['a trace after the empty challenge', [undefined, B('x')], ['challenge ', 'success anonymous'], [{ trace: 'x' }]],
    ['255 characters', [B('\u00fc'.repeat(255))], ['success anonymous'], [{ trace: '\u00fc'.repeat(255) }]],
    ['256 characters (section 2)', [B('x'.repeat(256))], ['failure too-long'], []],
    ['a mebibyte', [B('x'.repeat(1024 * 1024))], ['failure too-long'], []],
    ['a line break', [B('x\r\ny')], ['failure malformed'], []],
    ['no UTF-8', [B('\xfc', 'latin1')], ['failure malformed'], []],
    ['nothing twice', [undefined, undefined], ['challenge ', 'failure malformed'], []],
    ['a second message', [B('x'), B('y')], ['success anonymous', 'failure aborted'], [{ trace: 'x' }]],
  ] as const)('%s', async (_label, responses, steps, asked) => {
    expect(await play(anonymous, responses)).toEqual({ steps, asked })
  })
})

test('the list is strongest first, and each name is there once', () => {
  const ranks = ['none', 'plain', 'proof', 'token', 'certificate']
  const strengths = serverMechanisms.map(({ strength }) => ranks.indexOf(strength))
  expect(strengths).toEqual([...strengths].sort((a, b) => b - a))
  expect(new Set(serverMechanisms.map(({ name }) => name)).size).toBe(serverMechanisms.length)
})
