// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

/** More steps than any exchange has. */
const MOST_STEPS = 8
const SALT = Buffer.from('0123456789abcdef')

/** The server's side of every mechanism; the input's lines are the client's messages, an empty input is no initial response. */
export async function saslTargets(load) {
  const { NEVER } = await load('packages/base', 'cancellation')
  const { serverMechanisms } = await load('packages/sasl', 'server/mechanisms')
  const { scram } = await load('packages/sasl', 'server/scram')
  const { deriveScramKeys } = await load('packages/sasl', 'scram-keys')
  const keys = {}
  for (const [kind, hash] of [
    ['SCRAM-SHA-1', 'sha1'],
    ['SCRAM-SHA-256', 'sha256'],
  ])
    keys[kind] = {
      kind: 'scram',
      salt: SALT,
      iterations: 4_096,
      ...(await deriveScramKeys(hash, 'secret', SALT, 4_096)),
    }
  const accepted = async () => ({ kind: 'accepted', authcid: 'alice' })
  const verifier = {
    verifyPlain: async ({ password }) =>
      password === 'secret' ? { kind: 'accepted' } : { kind: 'rejected', reason: 'invalid-credentials' },
    lookup: async ({ secret }) => ({
      kind: 'found',
      secret: keys[secret] ?? { kind: 'cram-md5', digest: () => Buffer.alloc(16, 7) },
      conclude: async (proved) => (proved ? { kind: 'accepted' } : { kind: 'rejected', reason: 'invalid-credentials' }),
    }),
    verifyCertificate: accepted,
    anonymous: accepted,
  }
  const context = {
    verifier,
    channel: { encrypted: true, channelBinding: () => Buffer.from('binding') },
    clientCertificate: { authorized: true, raw: Buffer.from('certificate') },
    localName: 'portico.test.lan',
    offered: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN'],
    signal: NEVER,
  }
  return serverMechanisms.map(({ name }) => ({
    name: `sasl-${name.toLowerCase()}`,
    words: [
      'n,,',
      'y,,',
      'p=tls-exporter,,',
      'n=alice',
      ',r=abc',
      'r=abcserver',
      ',c=biws',
      ',p=AAAA',
      'a=bob,',
      '=2C',
      '=3D',
      '=',
      ',',
      '\n',
      '\0',
      'alice',
      'secret',
      ' ',
      '\xff',
      'm=x,',
      '@',
    ].concat(['c=cD10bHMtZXhwb3J0ZXIsLGJpbmRpbmc=', '07'.repeat(16)]),
    examples: [
      'n,,n=alice,r=abc\nc=biws,r=abcserver,p=AAAA\n',
      '\0alice\0secret',
      'bob\0alice\0wrong',
      'alice\nsecret',
      `alice ${'07'.repeat(16)}`,
      'p=tls-exporter,,n=alice,r=abc\nc=cD10bHMtZXhwb3J0ZXIsLGJpbmRpbmc=,r=abcserver,p=AAAA',
    ],
    async run(bytes) {
      const mechanism = name.startsWith('SCRAM')
        ? scram(name, () => 'server')
        : serverMechanisms.find((each) => each.name === name)
      const exchange = mechanism.begin(context)
      const steps = []
      const lines = bytes.length === 0 ? [undefined] : split(bytes)
      for (const line of lines) {
        const step = await exchange.step(line)
        steps.push(step)
        if (step.kind !== 'challenge') break
      }
      await exchange[Symbol.asyncDispose]()
      return steps
    },
    check(steps, bytes) {
      must(steps.length < MOST_STEPS, 'the exchange has no end')
      const last = steps.at(-1)
      if (last?.kind !== 'success') return
      must(last.authcid !== '' && !last.authcid.includes('\0'), 'somebody without a name')
      if (name === 'PLAIN' || name === 'LOGIN') must(bytes.includes('secret'), 'in without the password')
      must(!name.startsWith('SCRAM'), 'in without a proof')
    },
  }))
}

function split(bytes) {
  const lines = []
  for (let at = 0; at <= bytes.length && lines.length < MOST_STEPS; ) {
    const end = bytes.indexOf(10, at)
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end))
    at = end < 0 ? bytes.length + 1 : end + 1
  }
  return lines
}
