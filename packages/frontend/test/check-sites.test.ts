// SPDX-License-Identifier: MIT
import { checkConfiguration } from '@portico/frontend'
import { describe, expect, test } from 'vitest'
import { siteProblems } from '../src/check-sites.js'
import { toy } from './toy-protocol.js'

const CONFIG = {
  version: 1,
  listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }],
  credentials: [{ type: 'deferred' }],
  location: [{ type: 'hash', group: 'one' }],
}

const check = (backend: object, more: object) => {
  const backends = { one: { toy: { endpoints: ['127.0.0.1:1'] }, ...backend } }
  return checkConfiguration({ config: { ...CONFIG, backends, ...more }, protocols: [toy] })
}

const SITES = { berlin: { http: 'https://mail.berlin.example' }, munich: { http: 'https://mail.munich.example' } }

describe('sites of a configuration', () => {
  test('are not needed; where there are any the own one is one of them, and the groups are at them', async () => {
    await check({}, {})
    await check({ site: 'munich' }, { site: 'berlin', sites: SITES })
  })

  test.each([
    ['no own one', {}, { sites: SITES }, /site: expected one of the sites berlin, munich/],
    ['another own one', {}, { site: 'rome', sites: SITES }, /site: expected one of the sites berlin, munich/],
    ['an own one alone', {}, { site: 'berlin' }, /site: expected sites to be listed/],
    [
      'another site of a group',
      { site: 'rome' },
      { site: 'berlin', sites: SITES },
      /backends\.one\.site: expected one of/,
    ],
    ['a group with a site alone', { site: 'rome' }, {}, /backends\.one\.site: expected sites to be listed/],
  ])('%s is told', async (_, backend, more, problem) => {
    await expect(check(backend, more)).rejects.toThrow(problem)
  })
})

test('loops that nobody counts are warned of', async () => {
  const around = { site: 'berlin', sites: SITES }
  const warned = async (backend: object, more: object) => (await check(backend, { ...around, ...more })).warnings
  expect(await warned({}, {})).toEqual([])
  expect(await warned({ site: 'berlin' }, {})).toEqual([])
  expect(await warned({ site: 'munich' }, {})).toEqual([
    expect.stringMatching(/^backends\.one: .*networks\.proxies is empty/),
  ])
  expect(await warned({ site: 'munich' }, { networks: { proxies: ['192.0.2.1/32'] } })).toEqual([])
})

describe('nobody is sent to where they are', () => {
  const own = { http: 'https://mail.example', imap4: 'Mail.example' }
  const problems = (other: object, redirect: readonly [string, string][] = []) =>
    siteProblems({
      site: 'here',
      sites: { here: own, there: other },
      credentials: [],
      backends: { g: { site: 'there', redirect: new Map(redirect) } },
    } as unknown as Parameters<typeof siteProblems>[0]).map(({ path }) => path.join('.'))

  test.each<[other: object, redirect: [string, string][], paths: string[]]>([
    [{ http: 'https://other.example', imap4: 'other.example' }, [], []],
    [{ http: 'https://mail.example:8443', imap4: 'mail.example:1143' }, [], []],
    [{ http: 'https://mail.example' }, [], ['sites.there.http']],
    [{ imap4: 'mail.example:143' }, [], ['sites.there.imap4']],
    [
      {},
      [
        ['http', 'https://MAIL.example/'],
        ['imap4', 'mail.example'],
      ],
      ['backends.g.redirect.http', 'backends.g.redirect.imap4'],
    ],
    [
      {},
      [
        ['http', 'https://other.example'],
        ['imap4', 'other.example'],
      ],
      [],
    ],
  ])('%j, and a group with %j', (other, redirect, paths) => {
    expect(problems(other, redirect)).toEqual(paths)
  })
})
