// SPDX-License-Identifier: MIT
// The HTTP units of the benchmark, over connections that are kept.
import { connect as connectHttp2 } from 'node:http2'
import { must, open } from './talk.mjs'

const KIB = 1024
const LARGE = 100 * KIB
const BODY = Buffer.alloc(LARGE, 'u')
const GOAL_OF_HEAD = /^HTTP\/1\.1 200 /
/** Streams at a time on one connection of HTTP/2. */
const STREAMS = 8

const headOf = (method, path, fields) => `${method} ${path} HTTP/1.1\r\nHost: bench.test\r\n${fields}\r\n`

/** The text of a response whose length is told. */
const whole = (text) => {
  const end = text.indexOf('\r\n\r\n')
  const length = /^content-length: *(\d+)/im.exec(text)?.[1]
  return end >= 0 && text.length >= end + 4 + Number(length ?? 0)
}

const get = (path) => ({
  open: ({ port, tls }) => open(port, tls),
  unit: async ({ authorization }, peer) => must(await peer.ask(headOf('GET', path, authorization), whole), '200 OK'),
})

/** What HTTP/1.1 asks for with a cookie where the peer has a sign-in page; others are asked for the same without one. */
async function withCookie({ port, tls, authorization }) {
  const peer = await open(port, tls)
  if (authorization === '') return Object.assign(peer, { cookie: '' })
  const page = await peer.ask(headOf('GET', '/web/auth/logon.aspx', 'Accept: text/html\r\n'), whole)
  must(page, '200 OK')
  const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const form = `username=web&password=secret&flags=4&destination=%2Fweb%2Fpage&token=${encodeURIComponent(token)}`
  const fields = `Cookie: ${cookieIn(page)}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n`
  const welcome = await peer.ask(headOf('POST', '/web/auth.owa', fields) + form, whole)
  must(welcome, '302')
  return Object.assign(peer, { cookie: `Cookie: ${cookieIn(welcome)}\r\n` })
}

const cookieIn = (text) => /^set-cookie: *([^;\r]+)/im.exec(text)?.[1]

/** Several streams of one connection of HTTP/2, each a request after the other. */
async function openHttp2({ port }) {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject))
  return { session, end: () => session.destroy() }
}

function http2Get({ authorization }, { session }) {
  const value = /^Authorization: (.*)\r\n$/.exec(authorization)?.[1]
  const stream = session.request({ ':path': '/page', ...(value === undefined ? {} : { authorization: value }) })
  return new Promise((resolve, reject) => {
    let octets = 0
    stream.on('error', reject)
    stream.on('response', (head) => {
      if (head[':status'] !== 200) reject(new Error(`status ${head[':status']}`))
    })
    stream.on('data', (chunk) => {
      octets += chunk.length
    })
    stream.on('end', () => (octets === KIB ? resolve() : reject(new Error(`${octets} octets`))))
  })
}

export const HTTP_ROWS = {
  'http-get': get('/page'),
  'http-cookie': {
    open: withCookie,
    unit: async (_, peer) => must(await peer.ask(headOf('GET', '/web/page', peer.cookie), whole), '200 OK'),
  },
  'http-down': {
    open: ({ port, tls }) => open(port, tls),
    unit: async ({ authorization }, peer) => {
      // Counted, not kept: the head is a few hundred octets, and the last of the body ends the unit.
      const text = await peer.ask(headOf('GET', '/large', authorization), whole)
      if (!GOAL_OF_HEAD.test(text)) throw new Error(text.slice(0, 200))
    },
  },
  'http-up': {
    open: ({ port, tls }) => open(port, tls),
    unit: async ({ authorization }, peer) => {
      const fields = `${authorization}Content-Length: ${LARGE}\r\n`
      const request = Buffer.concat([Buffer.from(headOf('POST', '/up', fields)), BODY])
      must(await peer.ask(request, whole), '200 OK')
    },
  },
  'http2-get': {
    open: openHttp2,
    unit: (where, peer) => Promise.all(Array.from({ length: STREAMS }, () => http2Get(where, peer))),
  },
  /** A poll that nothing comes back of: a connection is what it costs. */
  'http-poll': {
    open: async ({ port, tls, authorization }) => {
      const peer = await open(port, tls)
      must(await peer.ask(headOf('GET', '/page', authorization), whole), '200 OK')
      peer.socket.write(headOf('GET', '/poll', authorization))
      return peer
    },
    unit: async () => {},
  },
}
