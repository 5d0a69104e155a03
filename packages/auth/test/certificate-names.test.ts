// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authSchema, type CertificatePolicy, createUsersFileSource } from '@portico/auth'
import { NEVER } from '@portico/base'
import type { CertificateFacts } from '@portico/sasl'
import { afterAll, describe, expect, test } from 'vitest'
import { namesOf } from '../src/certificate-names.js'
import { clientAt, hashThreads, memoryUsersFile } from './helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'portico-names-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

/** The DER of a self-signed certificate: only what it says matters here. */
function certificate(subject: string, alternative?: string): Buffer {
  const [key, file] = [join(folder, 'key'), join(folder, `${made++}.pem`)]
  const more = alternative === undefined ? [] : ['-addext', `subjectAltName=${alternative}`]
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
  execFileSync('openssl', ['req', '-x509', '-utf8', ...newKey, '-days', '3', '-subj', subject, ...more, '-out', file], {
    stdio: 'pipe',
  })
  return new X509Certificate(readFileSync(file)).raw
}

const policyOf = (written: object): CertificatePolicy => ({ ...authSchema.parse({}).certificates, ...written })
const UPN = 'otherName:1.3.6.1.4.1.311.20.2.3;UTF8:'

test('what a balancer tells is its common name only', () => {
  const written = authSchema.safeParse({ certificates: { user: 'email', fromBalancers: true } })
  expect(written.error?.issues).toMatchObject([{ path: ['certificates', 'fromBalancers'] }])
})

describe('the name in a client certificate', () => {
  test.each([
    ['none, unless the site says which', '/CN=alice', 'email:a@x.lan', {}, undefined],
    ['common name', '/O=Example/CN=alice', undefined, { user: 'commonName' }, 'alice'],
    ['common name in UTF-8', '/CN=älice', undefined, { user: 'commonName' }, 'älice'],
    ['common name with signs of its own', '/O=x/CN=a\\+b, c', undefined, { user: 'commonName' }, 'a+b, c'],
    ['two common names are nobody', '/CN=alice/CN=bob', undefined, { user: 'commonName' }, undefined],
    ['no common name', '/O=Example', undefined, { user: 'commonName' }, undefined],
    ['an organisation that looks like one', '/O=x\nCN=bob', undefined, { user: 'commonName' }, undefined],
    ['e-mail address', '/CN=x', 'DNS:a.lan,email:alice@test.lan,URI:http://a', { user: 'email' }, 'alice@test.lan'],
    ['two e-mail addresses are nobody', '/CN=x', 'email:a@x.lan,email:b@x.lan', { user: 'email' }, undefined],
    ['no e-mail address', '/CN=alice', 'DNS:a.lan', { user: 'email' }, undefined],
    ['no alternative names', '/CN=alice', undefined, { user: 'email' }, undefined],
    ['principal name', '/CN=x', `email:e@x.lan,${UPN}alice@corp.lan`, { user: 'upn' }, 'alice@corp.lan'],
    ['a principal name with quotation marks', '/CN=x', `${UPN}a\\"b\\\\ email:c@d`, { user: 'upn' }, 'a"b\\ email:c@d'],
    ['another otherName', '/CN=x', 'otherName:1.2.3.4;UTF8:alice', { user: 'upn' }, undefined],
    ['domain cut off', '/CN=x', 'email:alice@test.lan', { user: 'email', domain: 'strip' }, 'alice'],
    ['domain added', '/CN=alice', undefined, { user: 'commonName', addDomain: 'x.lan' }, 'alice@x.lan'],
    ['domain not added twice', '/CN=a@b', undefined, { user: 'commonName', addDomain: 'x.lan' }, 'a@b'],
    [
      'domain replaced',
      '/CN=x',
      'email:alice@test.lan',
      { user: 'email', domain: 'strip', addDomain: 'x.lan' },
      'alice@x.lan',
    ],
    ['nothing before the domain', '/CN=@x', undefined, { user: 'commonName', domain: 'strip' }, undefined],
  ])('%s', (_label, subject, alternative, policy, name) => {
    const raw = certificate(subject, alternative)
    const names = namesOf({ authorized: true, raw }, policyOf(policy))
    expect(names?.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(names?.name).toBe(name)
  })

  test('a certificate that TLS has not found good names nobody', () => {
    const raw = certificate('/CN=alice')
    expect(namesOf({ authorized: false, raw }, policyOf({ user: 'commonName' }))).toBeUndefined()
  })

  const told: CertificateFacts = { authorized: true, commonName: 'alice' }
  test.each([
    ['believed where the site says so', told, { user: 'commonName', fromBalancers: true }, { name: 'alice' }],
    ['not believed otherwise', told, { user: 'commonName' }, undefined],
    ['no fingerprint', told, { fromBalancers: true }, undefined],
    ['no e-mail address', told, { user: 'email', fromBalancers: true }, undefined],
    ['without a name', { authorized: true }, { user: 'commonName', fromBalancers: true }, undefined],
    [
      'with a line break',
      { authorized: true, commonName: 'a\nb' },
      { user: 'commonName', fromBalancers: true },
      undefined,
    ],
  ])('a common name that a balancer tells: %s', (_label, facts, policy, names) => {
    expect(namesOf(facts, policyOf(policy))).toEqual(names)
  })
})

test.each([
  ['by its name', 'alice:::::::group=g', { name: 'alice' }, 'accepted'],
  ['by its name in another case', 'alice:::::::group=g', { name: 'Alice' }, 'accepted'],
  ['not by a name that nobody has', 'alice:::::::group=g', { name: 'bob' }, 'not-here'],
  [
    'not by its name where it names another certificate',
    `alice:::::::certificate=${'a'.repeat(64)}`,
    { name: 'alice' },
    'not-here',
  ],
  ['not when it is barred', 'alice:::::::nologin', { name: 'alice' }, 'rejected'],
])('an account of the users file is found %s', async (_label, line, names, kind) => {
  const source = createUsersFileSource(memoryUsersFile(`${line}\n`), { hashThreads })
  const request = { names, authcid: 'certificate', mechanism: 'EXTERNAL', client: clientAt(), attempt: 1 }
  expect((await source.ownerOf?.(request, NEVER))?.kind).toBe(kind)
})
