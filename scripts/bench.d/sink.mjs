// SPDX-License-Identifier: MIT
// The backend of the benchmark: the cheapest server that speaks enough IMAP4, POP3, SMTP and HTTP for the rows, and answers look-ups.
// It lies about mail: a FETCH gives a constant block, an APPEND and a message are counted and dropped.
import { createServer } from 'node:net'
import { page } from './sink-http.mjs'
import { judge } from './sink-judge.mjs'
import { smtp } from './sink-smtp.mjs'

const MIB = Buffer.alloc(1024 * 1024, 'x')
const ports = {}

/** Feeds whole CRLF lines to `onLine`; `swallow(n, then)` drops n octets first (a literal). */
function lines(socket, onLine) {
  let held = ''
  let skip = 0
  let after
  const control = {
    swallow(count, then) {
      skip = count
      after = then
    },
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    let text = chunk
    for (;;) {
      if (skip > 0) {
        const took = Math.min(skip, text.length)
        skip -= took
        text = text.subarray(took)
        if (skip > 0) return
        after()
      }
      const end = text.indexOf('\r\n')
      if (end < 0) {
        held += text.toString('latin1')
        return
      }
      const line = held + text.toString('latin1', 0, end)
      held = ''
      text = text.subarray(end + 2)
      onLine(line, control)
      if (text.length === 0 && skip === 0) return
    }
  })
}

function imap(socket) {
  socket.setNoDelay(true)
  socket.write('* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN] ready\r\n')
  let login
  lines(socket, (line, control) => {
    const literal = /\{(\d+)(\+?)\}$/.exec(line)
    if (login !== undefined) {
      // nginx sends user and password as literals, one after the other.
      if (literal !== null) {
        socket.write('+ go\r\n')
        control.swallow(Number(literal[1]), () => {})
        return
      }
      socket.write(`${login} OK [CAPABILITY IMAP4rev1] in\r\n`)
      login = undefined
      return
    }
    const [tag, command = '', rest] = line.split(' ', 3)
    switch (command.toUpperCase()) {
      case 'LOGIN':
        if (literal === null) socket.write(`${tag} OK [CAPABILITY IMAP4rev1] in\r\n`)
        else {
          login = tag
          socket.write('+ go\r\n')
          control.swallow(Number(literal[1]), () => {})
        }
        return
      case 'AUTHENTICATE':
        socket.write(`${tag} OK [CAPABILITY IMAP4rev1] in\r\n`)
        return
      case 'ID':
        socket.write(`* ID NIL\r\n${tag} OK done\r\n`)
        return
      case 'FETCH':
        socket.write(`* 1 FETCH (BODY[] {${MIB.length}}\r\n`)
        socket.write(MIB)
        socket.write(`)\r\n${tag} OK done\r\n`)
        return
      case 'APPEND':
        control.swallow(Number(literal[1]) + 2, () => socket.write(`${tag} OK done\r\n`))
        return
      case 'LOGOUT':
        socket.end(`* BYE\r\n${tag} OK bye\r\n`)
        return
      default:
        socket.write(`${tag} OK done ${rest === undefined ? '' : ''}\r\n`)
    }
  })
}

function pop3(socket) {
  socket.setNoDelay(true)
  socket.write('+OK ready\r\n')
  lines(socket, (line) => {
    if (line === 'CAPA') socket.write('+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n')
    else if (line === 'QUIT') socket.end('+OK bye\r\n')
    else socket.write('+OK\r\n')
  })
}

/** nginx's auth_http protocol: everybody is right, and lives here. */
function lookup(socket) {
  socket.setNoDelay(true)
  let protocol = 'imap'
  let keep = false
  lines(socket, (line) => {
    if (line.startsWith('GET ')) keep = line.endsWith('HTTP/1.1')
    const value = /^auth-protocol: *(\S+)/i.exec(line)
    if (value !== null) protocol = value[1]
    if (line !== '') return
    const port = ports[protocol]
    const answer = `HTTP/1.${keep ? 1 : 0} 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: ${port}\r\nContent-Length: 0\r\n\r\n`
    if (keep) socket.write(answer)
    else socket.end(answer)
  })
}

const servers = Object.entries({ imap, pop3, smtp, page, lookup }).map(([name, serve]) => [
  name,
  createServer({ allowHalfOpen: false }, serve),
])
for (const [name, server] of [...servers, ['judge', judge]]) {
  await new Promise((resolve) =>
    server.listen(Number(process.argv[2 + Object.keys(ports).length]), '127.0.0.1', 4096, resolve),
  )
  ports[name] = server.address().port
}
process.send?.({ ports })
