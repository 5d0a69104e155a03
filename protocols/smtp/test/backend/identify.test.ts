// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributeCommands, type ClientFacts, xtext } from '../../src/backend/client-facts.js'
import type { SmtpGreeting } from '../../src/backend/greeting.js'
import { type Identification, type Identity, identification } from '../../src/backend/identify.js'

const client: ClientFacts = {
  peer: { address: '2001:db8::7', port: 4711, family: 6 },
  local: { address: '192.0.2.25', port: 587, family: 4 },
  helo: 'pc.example',
  protocol: 'ESMTP',
  sessionId: 's1',
  remainingHops: 4,
}
const NOBODY: Identity = { client, login: undefined, signedIn: false }
const ALICE: Identity = { client, login: 'al=ice+x y', signedIn: true }

function greeting(changes: Partial<SmtpGreeting>, offers: Record<string, string> = {}): SmtpGreeting {
  return {
    dialect: 'smtp',
    name: 'portico.example',
    clientFacts: 'xclient',
    authenticated: false,
    xclient: new Set(),
    ipv6: undefined,
    served: 0,
    extensions: new Map(Object.entries(offers)),
    ...changes,
  }
}

const XCLIENT = { XCLIENT: 'NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT TTL' }
const XFORWARD = { XFORWARD: 'NAME ADDR PROTO HELO SOURCE PORT IDENT' }
const BOTH = { ...XCLIENT, ...XFORWARD }
const FACTS = 'NAME=[UNAVAILABLE] PORT=4711 PROTO=ESMTP HELO=pc.example'
const TO = 'DESTADDR=192.0.2.25 DESTPORT=587 TTL=4 ADDR=IPV6:2001:db8::7'
const FORWARDED = 'XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 PORT=4711 PROTO=ESMTP HELO=pc.example IDENT=s1'

describe('what a backend is told of the client', () => {
  test.each<[string, SmtpGreeting, Identity, Partial<Extract<Identification, { kind: 'possible' }>>]>([
    ['nothing when it asks for nothing', greeting({}), NOBODY, { xclient: [], xforward: [], helo: 'portico.example' }],
    [
      'the address by XCLIENT, last',
      greeting({}, BOTH),
      NOBODY,
      { xclient: [`XCLIENT ${FACTS} ${TO}`], xforward: [], helo: 'pc.example' },
    ],
    ['the user with it', greeting({}, XCLIENT), ALICE, { xclient: [`XCLIENT ${FACTS} LOGIN=al+3Dice+2Bx+20y ${TO}`] }],
    [
      'only what it asks for',
      greeting({}, { XCLIENT: 'HELO ADDR' }),
      NOBODY,
      { xclient: ['XCLIENT HELO=pc.example ADDR=IPV6:2001:db8::7'] },
    ],
    [
      'by XFORWARD where there is no XCLIENT',
      greeting({}, XFORWARD),
      NOBODY,
      { xclient: [], xforward: [`${FORWARDED} SOURCE=REMOTE`] },
    ],
    [
      'by XFORWARD where the site wants that',
      greeting({ clientFacts: 'xforward' }, BOTH),
      NOBODY,
      { xclient: [], xforward: [`${FORWARDED} SOURCE=REMOTE`] },
    ],
    [
      'the user by XCLIENT all the same',
      greeting({ clientFacts: 'xforward' }, BOTH),
      ALICE,
      {
        xclient: ['XCLIENT LOGIN=al+3Dice+2Bx+20y'],
        sets: ['LOGIN'],
        xforward: [`${FORWARDED} SOURCE=LOCAL`],
        helo: 'portico.example',
      },
    ],
    [
      'no address where the site wants that',
      greeting({ clientFacts: 'none' }, BOTH),
      ALICE,
      { xclient: ['XCLIENT LOGIN=al+3Dice+2Bx+20y'], xforward: [] },
    ],
    [
      'nobody is said where somebody was signed in before',
      greeting({ clientFacts: 'xforward', xclient: new Set(['LOGIN']) }, BOTH),
      NOBODY,
      { xclient: ['XCLIENT LOGIN=[UNAVAILABLE]'] },
    ],
    [
      'the same with the address',
      greeting({ xclient: new Set(['LOGIN', 'ADDR']) }, BOTH),
      NOBODY,
      { xclient: [`XCLIENT ${FACTS} LOGIN=[UNAVAILABLE] ${TO}`] },
    ],
  ])('%s', (_label, known, identity, expected) => {
    expect(identification(known, identity)).toMatchObject({ kind: 'possible', ...expected })
  })

  test.each<[string, SmtpGreeting, Identity]>([
    ['a user who cannot be named', greeting({}, { XCLIENT: 'NAME ADDR' }), ALICE],
    [
      'a former user who cannot be taken back',
      greeting({ xclient: new Set(['LOGIN']) }, { XCLIENT: 'NAME ADDR' }),
      NOBODY,
    ],
    ['a former address that cannot be replaced', greeting({ xclient: new Set(['ADDR']) }, { XCLIENT: 'LOGIN' }), ALICE],
  ])('%s is not left to chance', (_label, known, identity) => {
    expect(identification(known, identity).kind).toBe('impossible')
  })

  test('whatever an earlier client has left is set anew, or nothing is said at all', () => {
    const names = fc.subarray(['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT', 'SESSION'])
    const clientFacts = fc.constantFrom('xclient', 'xforward', 'none')
    fc.assert(
      fc.property(names, names, clientFacts, fc.boolean(), (left, offered, how, signedIn) => {
        const known = greeting(
          { clientFacts: how, xclient: new Set(left) },
          { XCLIENT: offered.join(' '), ...XFORWARD },
        )
        const plan = identification(known, signedIn ? ALICE : NOBODY)
        if (plan.kind === 'possible') expect(plan.sets).toEqual(expect.arrayContaining(left))
      }),
    )
  })
})

test('commands are split at 512 octets in the order of their attributes', () => {
  const commands = attributeCommands('XCLIENT', [
    ['HELO', 'h'.repeat(200)],
    ['LOGIN', xtext('\u00e9'.repeat(70))],
    ['ADDR', '192.0.2.1'],
  ])
  expect(commands.length).toBe(2)
  for (const command of commands) expect(command.length).toBeLessThanOrEqual(510)
  expect(commands[1]).toMatch(/ ADDR=192\.0\.2\.1$/)
})

test('xtext lets nothing through that could end a command', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(xtext(text)).toMatch(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/)
    }),
  )
})
