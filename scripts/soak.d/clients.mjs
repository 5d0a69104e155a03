// SPDX-License-Identifier: MIT
// Clients of all four protocols, well and badly behaved. Each returns when its connection is over.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const PATIENCE_MS = 60_000
const base64 = (text) => Buffer.from(text).toString('base64')

/** What each protocol's client says to get in, to ask for little and for much, to make its server die, and to leave. */
const SPEECH = {
  imap4: {
    greets: true,
    login: (user, password) => [[`a LOGIN ${user} ${password}\r\n`, /^a (OK|NO|BAD)/m]],
    little: ['b NOOP\r\n', /^b OK/m],
    much: ['c FETCH 1 BODY[]\r\n', /^c OK/m],
    die: 'd DIE\r\n',
    leave: 'e LOGOUT\r\n',
    good: /^a OK/m,
  },
  pop3: {
    greets: true,
    login: (user, password) => [
      [`USER ${user}\r\n`, /^\+OK/m],
      [`PASS ${password}\r\n`, /^(\+OK|-ERR)/m],
    ],
    little: ['NOOP\r\n', /^\+OK/m],
    much: ['RETR 1\r\n', /\r\n\.\r\n/],
    die: 'DIE\r\n',
    leave: 'QUIT\r\n',
    good: /^\+OK/m,
  },
  smtp: {
    greets: true,
    login: (user, password) => [
      ['EHLO pc\r\n', /^250 /m],
      [`AUTH PLAIN ${base64(`\0${user}\0${password}`)}\r\n`, /^\d{3} /m],
    ],
    little: ['MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n', /^(354|[45]\d\d)/m],
    much: [`${'A line of a letter.\r\n'.repeat(2_000)}.\r\n`, /^\d{3} [^\r\n]*\r\n/m],
    die: 'NOOP\r\n',
    leave: 'QUIT\r\n',
    good: /^235/m,
  },
  http: {
    greets: false,
    login: (user, password) => [[request('/', user, password), /\r\n\r\n/]],
    little: [request('/', 'good', 'secret'), /hello$/],
    much: [request('/big', 'good', 'secret'), /x{1000}/],
    die: request('/die', 'good', 'secret'),
    leave: undefined,
    good: /^HTTP\/1.1 200/m,
  },
}

function request(path, user, password) {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${base64(`${user}:${password}`)}\r\n\r\n`
}

/** A connection: `ask` resolves with what came up to a match, or with everything when it ended first. */
function open(port, tls) {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true }
  const socket = tls ? connectTls(options) : connect(options)
  let held = ''
  let wake
  let over = false
  const gone = () => {
    over = true
    wake?.()
  }
  const timer = setTimeout(() => socket.destroy(new Error('late')), PATIENCE_MS)
  const late = { is: false }
  socket.on('error', (error) => {
    late.is ||= error.message === 'late'
  })
  socket.on('close', () => {
    clearTimeout(timer)
    gone()
  })
  socket.on('end', gone)
  socket.on('data', (chunk) => {
    held = (held + chunk.toString('latin1')).slice(-20_000)
    wake?.()
  })
  return {
    socket,
    late,
    async ask(text, pattern) {
      if (text !== undefined && !over) socket.write(text)
      while (!over && !pattern.test(held)) {
        await new Promise((resolve) => {
          wake = resolve
        })
      }
      const said = held
      held = ''
      return said
    },
    async closed() {
      while (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
    },
  }
}

async function signIn(client, speech, user, password) {
  if (speech.greets) await client.ask(undefined, /\r\n/)
  let answer = ''
  for (const [text, pattern] of speech.login(user, password)) answer = await client.ask(text, pattern)
  return answer
}

/** What clients do. Those that say `expected` have to hear it. */
const WAYS = {
  async works(client, speech) {
    const answer = await signIn(client, speech, 'good', 'secret')
    if (!speech.good.test(answer)) return `sign-in: ${JSON.stringify(answer.slice(0, 200))}`
    for (const [text, pattern] of [speech.little, speech.much]) {
      const said = await client.ask(text, pattern)
      if (!pattern.test(said)) return `${JSON.stringify(text.slice(0, 20))}: ${JSON.stringify(said.slice(-200))}`
    }
    if (speech.leave === undefined) client.socket.end()
    else await client.ask(speech.leave, /(?!)/)
    return undefined
  },
  async isWrong(client, speech) {
    const answer = await signIn(client, speech, 'good', 'wrong')
    if (speech.good.test(answer) && !answer.includes('-ERR'))
      return `a wrong password: ${JSON.stringify(answer.slice(0, 200))}`
    return undefined
  },
  async meetsHanging(client, speech) {
    void signIn(client, speech, 'hangs', 'secret')
    await pause(30)
  },
  async meetsResets(client, speech) {
    await signIn(client, speech, 'resets', 'secret')
  },
  async meetsBabble(client, speech) {
    await signIn(client, speech, 'babbles', 'secret')
  },
  async leavesInMidWord(client, speech) {
    if (speech.greets) await client.ask(undefined, /\r\n/)
    client.socket.write('a LOG')
    await pause(5)
  },
  async resets(client, speech) {
    await signIn(client, speech, 'good', 'secret')
    client.socket.write(speech.much[0])
    await pause(2)
    if (client.socket.resetAndDestroy !== undefined && !client.socket.encrypted) client.socket.resetAndDestroy()
  },
  async halfCloses(client, speech) {
    await signIn(client, speech, 'good', 'secret')
    client.socket.end(speech.little[0])
    await client.ask(undefined, /(?!)/)
  },
  async readsSlowly(client, speech) {
    await signIn(client, speech, 'good', 'secret')
    client.socket.write(speech === SPEECH.smtp ? speech.leave : speech.much[0])
    client.socket.pause()
    await pause(150)
    client.socket.resume()
    await pause(50)
  },
  async seesItDie(client, speech) {
    await signIn(client, speech, 'good', 'secret')
    client.socket.write(speech.die)
    if (speech !== SPEECH.smtp) await client.ask(undefined, /(?!)/)
  },
  async saysNothing() {
    await pause(20)
  },
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const NAMES = Object.keys(WAYS)

/** Runs client number `n`. Returns what was wrong with it, if anything was. */
export async function runClient(n, doors) {
  const door = doors[n % doors.length]
  // Every other one is well behaved.
  const way = n % 2 === 0 ? 'works' : NAMES[Math.floor(n / 2 / doors.length) % NAMES.length]
  const client = open(door.port, door.tls)
  const wrong = await WAYS[way](client, SPEECH[door.protocol])
  client.socket.destroy()
  await client.closed()
  if (client.late.is) return `${door.protocol}, ${way}: nothing within ${PATIENCE_MS / 1_000} s`
  return wrong === undefined ? undefined : `${door.protocol}, ${way}: ${wrong}`
}
