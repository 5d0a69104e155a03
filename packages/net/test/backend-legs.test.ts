// SPDX-License-Identifier: MIT
import { type BackendErrorCode, type BackendTlsPolicy, CancellationSource } from '@portico/base'
import { describe, expect, test } from 'vitest'
import {
  type BackendTls,
  backendErrorOfLeg,
  backendErrorOfRead,
  backendErrorOfUpgrade,
  backendTlsOptions,
  type LegErrorCode,
  type ReadEnd,
  type UpgradeFailure,
} from '../src/index.js'

describe('trouble with a backend', () => {
  const cause = new Error('as told by the system')
  test.each<[string, ReadEnd, BackendErrorCode]>([
    ['it finished', { kind: 'peer-ended' }, 'closed'],
    ['both finished', { kind: 'ended', why: { kind: 'finished' } }, 'closed'],
    ['we destroyed it', { kind: 'ended', why: { kind: 'destroyed' } }, 'cancelled'],
    ['it was silent for too long', { kind: 'ended', why: { kind: 'idle' } }, 'timed-out'],
    ['the phase took too long', { kind: 'ended', why: { kind: 'deadline' } }, 'timed-out'],
    ['it was reset', { kind: 'ended', why: { kind: 'error', code: 'peer-reset', cause } }, 'reset'],
    ['packets were lost for good', { kind: 'ended', why: { kind: 'error', code: 'timed-out', cause } }, 'timed-out'],
    ['a TLS record was broken', { kind: 'ended', why: { kind: 'error', code: 'tls-record', cause } }, 'other'],
  ])('%s', (_what, end, code) => {
    const trouble = backendErrorOfRead(end, new CancellationSource())
    expect(trouble.code).toBe(code)
    expect(trouble.cause).toBe(end.kind === 'ended' && end.why.kind === 'error' ? cause : undefined)
  })

  test.each([
    ['deadline', 'timed-out'],
    ['closed', 'cancelled'],
    ['draining', 'cancelled'],
  ] as const)('the wait was given up: %s', (reason, code) => {
    const signal = new CancellationSource()
    signal.abort(reason)
    expect(backendErrorOfRead({ kind: 'cancelled' }, signal)).toEqual({ code })
  })

  test.each<[LegErrorCode, BackendErrorCode]>([
    ['refused', 'refused'],
    ['unreachable', 'unreachable'],
    ['timed-out', 'timed-out'],
    ['peer-reset', 'reset'],
    ['tls-record', 'other'],
    ['other', 'other'],
  ])('a leg that ends with %s', (leg, code) => {
    expect(backendErrorOfLeg(leg)).toBe(code)
  })

  test.each<[UpgradeFailure, BackendErrorCode]>([
    ['timeout', 'timed-out'],
    ['closed', 'closed'],
    ['verify', 'tls'],
    ['alert', 'tls'],
    ['not-tls', 'tls'],
  ])('a handshake that fails with %s', (reason, code) => {
    expect(backendErrorOfUpgrade(reason)).toBe(code)
  })
})

test.each<[string, Partial<BackendTlsPolicy>, BackendTls]>([
  ['mbx.example', {}, { servername: 'mbx.example', verify: true }],
  ['mbx.example', { servername: 'imap.example', ca: 'PEM' }, { servername: 'imap.example', verify: true, ca: 'PEM' }],
  ['192.0.2.1', { verify: false }, { servername: '192.0.2.1', verify: false }],
])('TLS to %s with %j', (host, policy, options) => {
  const tls: BackendTlsPolicy = { mode: 'starttls', verify: true, ...policy }
  expect(backendTlsOptions({ tls, address: { kind: 'tcp', host, port: 25 } })).toEqual(options)
  const socket = backendTlsOptions({ tls, address: { kind: 'unix', path: '/run/lmtp' } })
  expect(socket).toEqual({ ...options, servername: policy.servername ?? 'localhost' })
})
