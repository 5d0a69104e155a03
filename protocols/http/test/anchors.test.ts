// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { parseRequestHead } from '../src/codec/head.js'
import { ANCHOR_KINDS, type AnchorPlaces, anchorOf } from '../src/routing/anchors.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

function places(parts: { rest?: string; query?: string; user?: string; fields?: readonly string[] }): AnchorPlaces {
  const lines = ['GET / HTTP/1.1', ...(parts.fields ?? []), '', '']
  const head = parseRequestHead(Buffer.from(lines.join('\r\n')), LIMITS)
  if (head.kind !== 'request') throw new Error(`no request: ${JSON.stringify(head)}`)
  return { rest: parts.rest ?? '', query: parts.query ?? '', user: parts.user, fields: head.fields }
}

const GUID = 'b3a2f1d0-0000-4000-8000-00000000a11c'

describe('a request may name the mailbox that it is about', () => {
  test.each([
    ['in its path', { rest: '/boss@example.com/' }, 'path', 'boss@example.com'],
    ['in its path, without a slash behind it', { rest: '/boss@example.com' }, 'path', 'boss@example.com'],
    ['in its path, escaped', { rest: '/boss%40example.com/x' }, 'path', 'boss@example.com'],
    ['by MailboxId', { query: `?MailboxId=${GUID}@example.com` }, 'mailbox-id', `${GUID}@example.com`],
    [
      'by MailboxId in any case, escaped',
      { query: `?x=1&mailboxid=${GUID}%40example.com` },
      'mailbox-id',
      `${GUID}@example.com`,
    ],
    ['as the server of Outlook Anywhere', { query: `?${GUID}@example.com:6001` }, 'rpc-server', `${GUID}@example.com`],
    ['by a user name of ActiveSync', { user: 'EXAMPLE\\boss' }, 'user', 'EXAMPLE\\boss'],
    ['by an alias of ActiveSync', { user: 'boss' }, 'user', 'boss'],
    ['by a field', { fields: ['X-AnchorMailbox: boss@example.com'] }, 'header', 'boss@example.com'],
    ['by a field with a scheme', { fields: ['x-anchormailbox: SMTP:boss@example.com'] }, 'header', 'boss@example.com'],
    ['by a field with a guid', { fields: [`X-AnchorMailbox: ${GUID}@example.com`] }, 'header', `${GUID}@example.com`],
    ['by a field in UTF-8', { fields: ['X-AnchorMailbox: chloé@example.com'] }, 'header', 'chloé@example.com'],
    [
      'by the field of public folders',
      { fields: [`X-PublicFolderMailbox: ${GUID}@example.com`] },
      'public-folder',
      `${GUID}@example.com`,
    ],
    ['with a plus sign and an apostrophe', { rest: "/o'neill+x@example.com/" }, 'path', "o'neill+x@example.com"],
  ])('%s', (_, parts, from, mailbox) => {
    expect(anchorOf(ANCHOR_KINDS, places(parts))).toEqual({ from, mailbox })
  })

  test('the path tells more than the query, and a field least', () => {
    const all = {
      rest: '/path@example.com/',
      query: '?MailboxId=query@example.com',
      user: 'user@example.com',
      fields: ['X-AnchorMailbox: field@example.com', 'X-PublicFolderMailbox: folder@example.com'],
    }
    const kinds = ANCHOR_KINDS.filter((kind) => kind !== 'rpc-server')
    const found = kinds.map((_, index) => anchorOf(kinds.slice(index), places(all))?.mailbox)
    expect(found).toEqual(['path', 'query', 'user', 'folder', 'field'].map((local) => `${local}@example.com`))
  })

  test('a directory looks only where its clients write it', () => {
    expect(anchorOf([], places({ rest: '/boss@example.com/' }))).toBeUndefined()
    expect(anchorOf(['header'], places({ rest: '/boss@example.com/' }))).toBeUndefined()
  })

  test.each([
    ['a page', { rest: '/auth/logon.aspx' }],
    ['a domain', { rest: '/example.com/' }],
    ['two addresses in a segment', { rest: '/a@b@example.com/' }],
    ['only a domain', { rest: '/@evil.example/x' }],
    ['only a local part', { rest: '/boss@/x' }],
    ['a host with a port', { rest: '/boss@evil.example:444/x' }],
    ['a host with a literal address', { rest: '/boss@[127.0.0.1]/x' }],
    ['an escaped slash', { rest: '/boss@example.com%2F..%2Fecp' }],
    ['an escaped question mark', { rest: '/autodiscover.json%3F@evil.example/' }],
    ['an escaped fragment', { rest: '/boss%23@evil.example/' }],
    ['an address that ends a literal', { fields: ['X-AnchorMailbox: Administrator]@evil.example:444/autodiscover'] }],
    ['a target in the old way', { fields: ['X-AnchorMailbox: evil.example/owa~1941962753'] }],
    ['a URL', { fields: ['X-AnchorMailbox: https://boss@evil.example/'] }],
    ['a list', { fields: ['X-AnchorMailbox: boss@example.com, kim@example.com'] }],
    ['the field twice', { fields: ['X-AnchorMailbox: boss@example.com', 'X-AnchorMailbox: kim@example.com'] }],
    ['MailboxId twice', { query: '?MailboxId=boss@example.com&MailboxId=kim@example.com' }],
    ['MailboxId with a host and port', { query: '?MailboxId=evil.example:444' }],
    ['a server of Outlook Anywhere by its host', { query: '?mbx1.example.com:6001' }],
    ['a server of Outlook Anywhere without a port', { query: '?boss@example.com' }],
    ['latin1 where UTF-8 belongs', { fields: ['X-AnchorMailbox: chlo\xe9@'] }],
    ['a user who asks for a second mailbox', { user: 'kim@example.com/boss' }],
    ['a user in two domains', { user: 'EXAMPLE\\kim@example.com@evil' }],
    ['an address longer than addresses are', { user: `kim@${'example.'.repeat(40)}com` }],
  ])('%s names nobody', (_, parts) => {
    expect(anchorOf(ANCHOR_KINDS, places(parts))).toBeUndefined()
  })
})
