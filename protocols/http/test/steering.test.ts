// SPDX-License-Identifier: MIT
import type { RouteQuestion } from '@portico/routing'
import { expect, test } from 'vitest'
import { answering, BASIC, Client, Front } from './harness.js'

const DIRECTORIES = ['owa', 'ecp', 'ews', 'mapi', 'autodiscover', 'activesync'].map((preset) => ({
  preset,
  auth: ['basic'],
  // Without one Portico answers itself, and no backend is asked.
  ...(preset === 'autodiscover' ? { group: 'web' } : {}),
}))

function noted(questions: RouteQuestion[], question: RouteQuestion): undefined {
  questions.push(question)
}

/** Asks once; tells what was answered, what the backend saw, and what the router was asked. */
async function ask(target: string, ...fields: readonly string[]) {
  const heads: string[] = []
  const questions: RouteQuestion[] = []
  const play = answering(heads, () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await using front = await Front.start(play, {
    settings: { directories: DIRECTORIES },
    decide: (question) => noted(questions, question),
  })
  const client = await Client.connect(front.port)
  client.send(`GET ${target} HTTP/1.1`, 'Host: mail.example.com', BASIC, ...fields, 'Connection: close', '', '')
  const answer = await client.toEnd()
  return { status: Number(answer.slice(9, 12)), head: heads[0] ?? '', questions }
}

test.each([
  ['a cookie that names a backend', '/owa/', 'Cookie: X-BEResource=evil.example/owa/auth/x.js?~1941962753'],
  [
    'the same among others',
    '/ecp/',
    'Cookie: lang=en; X-AnonResource=true; X-AnonResource-Backend=evil.example/ecp/x~3',
  ],
  ['a field that names a backend', '/EWS/Exchange.asmx', 'X-BEResource: evil.example:444/'],
  ['a field that says who the user is', '/mapi/emsmdb/', 'X-CommonAccessToken: VgEAVAdXaW5kb3dz'],
  ['an anchor that is a target', '/EWS/Exchange.asmx', 'X-AnchorMailbox: boss]@evil.example:444/autodiscover'],
  ['an anchor of another domain', '/EWS/Exchange.asmx', 'X-AnchorMailbox: boss@evil.example'],
  ['a route hint', '/owa/', 'X-PreferServerAffinity: true'],
])('%s changes neither the place nor the user', async (_, target, field) => {
  const { status, head, questions } = await ask(target, field)
  expect(status).toBe(200)
  expect(questions.map(({ location, spreadKey }) => [location, spreadKey])).toEqual([
    [{ group: 'web', source: 'test' }, 'alice'],
  ])
  expect(head.toLowerCase()).not.toMatch(/beresource|anonresource|commonaccesstoken/)
  expect(head).toContain(`\r\n${BASIC}\r\n`)
})

test.each([
  ['explicit logon at a foreign host', '/owa/boss@evil.example/'],
  ['explicit logon without a user', '/owa/@evil.example/owa/auth/'],
  [
    'Autodiscover with an address in its query',
    '/autodiscover/autodiscover.json?@evil.example/mapi/nspi/?&Email=autodiscover/autodiscover.json%3f@evil.example',
  ],
  [
    'Autodiscover with an address in its path',
    '/autodiscover/autodiscover.json/v1.0/boss@evil.example?a=@evil.example/owa/',
  ],
  ['an escaped question mark in the path', '/autodiscover/autodiscover.json%3F@evil.example/EWS/exchange.asmx'],
  ['MailboxId of a foreign host', '/mapi/emsmdb/?MailboxId=b3a2f1d0-0000-4000-8000-00000000a11c@evil.example'],
])('%s: what was matched is what is forwarded, to the own place of the user', async (_, target) => {
  const { status, head, questions } = await ask(target)
  expect(status).toBe(200)
  expect(head).toContain(`GET ${target} HTTP/1.1\r\n`)
  expect(questions.map(({ spreadKey }) => spreadKey)).toEqual(['alice'])
})

test.each([
  ['a slash in an escape', '/owa/boss@example.com%2f..%2fecp/'],
  ['a backslash', '/owa/boss@example.com\\..\\ecp/'],
  ['dot segments behind an address', '/owa/boss@example.com/../../ecp/'],
  ['dot segments with a parameter', '/owa/boss@example.com/..;/ecp/'],
  ['a doubly escaped slash', '/autodiscover/a%252f@evil.example/'],
])('%s is refused before anybody is asked', async (_, target) => {
  const { status, head, questions } = await ask(target)
  expect([status, head, questions]).toEqual([400, '', []])
})

test.each([
  ['explicit logon', '/owa/boss@example.com/'],
  ['MailboxId', '/mapi/emsmdb/?MailboxId=boss@example.com'],
  ['a field', '/EWS/Exchange.asmx', 'X-AnchorMailbox: boss@example.com'],
])('%s of a mailbox that the user may act for leads to its server, as the user', async (_, target, ...fields) => {
  const heads: string[] = []
  const asked: RouteQuestion[] = []
  await using front = await Front.start(
    answering(heads, () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    {
      settings: { directories: DIRECTORIES },
      mayActFor: (user, mailbox) => user === 'alice' && mailbox === 'boss@example.com',
      decide: (question) => noted(asked, question),
    },
  )
  const client = await Client.connect(front.port)
  client.send(`GET ${target} HTTP/1.1`, 'Host: mail.example.com', BASIC, ...fields, 'Connection: close', '', '')
  expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 /)
  expect(asked.map(({ spreadKey }) => spreadKey)).toEqual(['boss@example.com'])
  expect(heads[0]).toContain(`\r\n${BASIC}\r\n`)
})
