// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

const SITE = { ownNames: new Set(['mail.example']), ownAddress: '192.0.2.1', client: '2001:db8::7' }
const RULES = { from: 2, threshold: 7, window: 1_000, blockFor: 1_000 }
const SEEN = { rating: 9, badHello: true, nameless: true }

/** What agents of the door make of what clients say, of lists of the site, and of what other processes have written. */
export async function smtpPolicyTargets(load) {
  const { isHelloName } = await load('protocols/smtp', 'parse')
  const { faultsOfName } = await load('protocols/smtp', 'agents/helo/hello-faults')
  const { headerMailboxes } = await load('protocols/smtp', 'message/header-mailboxes')
  const { parseAddressList } = await load('protocols/smtp', 'agents/address-list')
  const { parseNetworkList } = await load('protocols/smtp', 'agents/network-list')
  const { countIn, readSlot, writeSlot } = await load('protocols/smtp', 'agents/reputation/slot')

  return [
    {
      name: 'smtp-hello-name',
      words: [...'[].-:_19af', 'IPv6:', '192.0.2.1', '2001:db8::', 'mail.example', 'localhost'],
      examples: ['mail.example', '[192.0.2.1]', '[IPv6:2001:db8::7]', 'localhost', '192.0.2.7', 'a..b'],
      async run(bytes) {
        const name = bytes.toString('latin1')
        return { faults: isHelloName(name) ? faultsOfName(name, SITE) : [] }
      },
      check({ faults }) {
        must(new Set(faults).size === faults.length, 'a fault was found twice')
      },
    },
    {
      name: 'smtp-mailboxes',
      words: [...'"()<>,;:@\\ .', 'alice', 'example.org', '\xff', '\t'],
      examples: ['Alice <alice@example.org>', '"a, <b@c>" <d@e>', 'g: a@b, c@d;', '(a (b) c) a@b', '<@x,@y:a@b>'],
      async run(bytes) {
        return { found: headerMailboxes(bytes.toString('latin1')) }
      },
      check({ found }) {
        for (const { local, domain } of found) must(local !== '' && domain !== '', 'half an address')
        must(found.length <= 1_000, 'more mailboxes than anybody writes')
      },
    },
    {
      name: 'smtp-lists',
      words: ['\n', '\r\n', '#', ';', ' ', '@', '*.', 'until ', '2027-01-31T12:00:00Z', '192.0.2.0/24', 'example.org'],
      examples: ['192.0.2.0/24 until 2027-01-31T12:00:00Z\n', '# c\neve@far.example\n*.bulk.example ; c\n'],
      throws: (error) => error instanceof TypeError && /^line \d+:/.test(error.message),
      async run(bytes) {
        const text = bytes.toString('latin1')
        const list = parseAddressList(text)
        list.holds({ local: 'eve', domain: 'far.example' })
        return { networks: parseNetworkList(text.includes('@') ? '' : text).length }
      },
      check() {},
    },
    {
      name: 'smtp-reputation-slot',
      words: [...'[],"-0195', 'null', '2001:db8::/64', '1e9'],
      examples: ['[["a",0,0,1,9,0,0]]', '[["a",0,99,0,0,0,0],["b",5,0,3,9,1,1]]', '[]'],
      async run(bytes) {
        const { clients } = countIn(readSlot(bytes), 'a', SEEN, RULES, 10)
        const written = Buffer.from(writeSlot(clients)).toString()
        const again = Buffer.from(writeSlot(readSlot(writeSlot(clients)))).toString()
        return { count: clients.length, written, again }
      },
      check({ count, written, again }) {
        must(count <= 32, 'more clients than a slot holds')
        must(written === again, 'written and read it is something else')
      },
    },
  ]
}
