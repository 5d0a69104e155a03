// SPDX-License-Identifier: MIT
// The SMTP backend of the benchmark. Bodies are searched for their end and nothing else, so that it is never what is measured.

const END = Buffer.from('\r\n.\r\n')
const FIXED = [
  '250-sink',
  '250-PIPELINING',
  '250-8BITMIME',
  '250-SIZE 100000000',
  '250-AUTH PLAIN LOGIN',
  '250-CHUNKING',
]
const XFORWARD = '250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE'
const XCLIENT = '250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN'
const LAST = '250 ENHANCEDSTATUSCODES\r\n'

export function smtp(socket) {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.write('220 sink ESMTP\r\n')
  const session = { trusts: true, left: 0, data: false, tail: '' }
  let held = ''
  socket.on('data', (chunk) => {
    let view = chunk
    while (view.length > 0) {
      if (session.data) view = untilEnd(socket, session, view)
      else if (session.left > 0) view = swallow(socket, session, view)
      else {
        const end = view.indexOf('\r\n')
        held += view.toString('latin1', 0, end < 0 ? view.length : end)
        view = end < 0 ? view.subarray(view.length) : view.subarray(end + 2)
        if (end < 0) return
        command(socket, session, held)
        held = ''
      }
    }
  })
}

function untilEnd(socket, session, view) {
  const at = view.indexOf(END)
  // The end may lie across two reads: what it begins with is kept as text.
  const joint = (session.tail + view.toString('latin1', 0, 4)).indexOf('\r\n.\r\n')
  if (joint >= 0) return taken(socket, session, view.subarray(joint + END.length - session.tail.length))
  if (at >= 0) return taken(socket, session, view.subarray(at + END.length))
  session.tail = (session.tail + view.toString('latin1', Math.max(0, view.length - 4))).slice(-4)
  return view.subarray(view.length)
}

function taken(socket, session, rest) {
  session.data = false
  session.tail = ''
  socket.write('250 2.0.0 taken\r\n')
  return rest
}

function swallow(socket, session, view) {
  const took = Math.min(session.left, view.length)
  session.left -= took
  if (session.left === 0) socket.write('250 2.0.0 taken\r\n')
  return view.subarray(took)
}

function command(socket, session, line) {
  switch (line.slice(0, 4).toUpperCase()) {
    case 'EHLO':
      socket.write(`${[...FIXED, XFORWARD, ...(session.trusts ? [XCLIENT] : [])].join('\r\n')}\r\n${LAST}`)
      return
    case 'XCLI':
      // As Postfix: once it was told an address it judges by that one, which may not say XCLIENT.
      if (/ ADDR=/i.test(line)) session.trusts = false
      socket.write('220 sink ESMTP\r\n')
      return
    case 'AUTH':
      socket.write('235 2.7.0 in\r\n')
      return
    case 'DATA':
      session.data = true
      session.tail = '\r\n'
      socket.write('354 go\r\n')
      return
    case 'BDAT':
      session.left = Number(line.split(' ')[1])
      if (session.left === 0) socket.write('250 2.0.0 taken\r\n')
      return
    case 'QUIT':
      socket.end('221 2.0.0 bye\r\n')
      return
    default:
      socket.write('250 2.0.0 ok\r\n')
  }
}
