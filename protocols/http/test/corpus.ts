// SPDX-License-Identifier: MIT

/** Fields that say where a message ends, honestly and not. */
export const FRAMING = [
  '',
  ...['5', '0', '05', '+5', '-5', '5, 5', '5,6', '', '0x5', '5 ', '5;', '5 5', '3', '99999999999999999999'].map(
    (value) => `Content-Length: ${value}\r\n`,
  ),
  ...['chunked', 'CHUNKED', 'gzip, chunked', 'chunked, chunked', 'chunked, identity', 'identity', 'xchunked'].map(
    (value) => `Transfer-Encoding: ${value}\r\n`,
  ),
  ...['"chunked"', 'chunked;a=b', '', '\x0bchunked', 'chun\0ked', ',chunked', 'chunked\x7f'].map(
    (value) => `Transfer-Encoding: ${value}\r\n`,
  ),
  'content-length:5\r\n',
  'Content-Length : 5\r\n',
  'Content-Length\t: 5\r\n',
  'Content_Length: 5\r\n',
  ' Content-Length: 5\r\n',
  'Content-Length: 5\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Transfer-Encoding: chunked\n',
  'X: y\rTransfer-Encoding: chunked\r\n',
  'X: y\nTransfer-Encoding: chunked\r\n',
]

/** Such fields as an honest message has them. */
export const HONEST = ['', 'Content-Length: 5\r\n', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n']

/** Other fields that change what a reader does. */
export const OTHER = [
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: Content-Length, Transfer-Encoding\r\n',
  'Host: y\r\n',
  'Expect: 100-continue\r\n',
  'Expect: something\r\n',
  'Upgrade: h2c\r\nConnection: upgrade\r\n',
  'Authorization: a\r\nAuthorization: b\r\n',
  'A(b: c\r\n',
  'A:\r\n',
  'A: \xe9\x80\r\n',
  'A: b\tc\r\n',
  'A: \x01\r\n',
  ': a\r\n',
  'A\r\n',
]

/** What stands behind a head. */
export const BODIES = [
  '',
  'hello',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n',
  '3\r\nhello\r\n0\r\n\r\n',
]

/** Bodies in chunks, honestly and not. */
export const CHUNKS = [
  ...[
    '5',
    '05',
    '000000000005',
    '5;a',
    '5;a=b',
    '5;a="b;c"',
    '5;a="b',
    '5;',
    '5 ',
    '5 ;a',
    '5\t',
    ' 5',
    '0x5',
    '+5',
    '-5',
  ],
  ...[
    '',
    ';a',
    '5,5',
    '5\x005',
    '5;a\x00',
    '5;\xe9',
    '5;a\x7f',
    '5;a=b;c',
    '5; a',
    '5;a =b',
    'ffffffffffffffff5',
    '5_',
  ],
]
  .map((size) => `${size}\r\nhello\r\n0\r\n\r\n`)
  .concat([
    '5\nhello\r\n0\r\n\r\n',
    '5\rhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello\r0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello\r\n0\n\r\n',
    '5\r\nhello\r\n0\r\n\n',
    '5;a\nhello\r\n0\r\n\r\n',
    '5;a\rb\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n00\r\n\r\n',
    '5\r\nhello\r\n0;a\r\n\r\n',
    '5\r\nhello\r\n0\r\nA: b\r\n\r\n',
    '5\r\nhello\r\n0\r\nA: b\n\r\n',
    '5\r\nhello\r\n0\r\nA : b\r\n\r\n',
    '5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n',
    '5\r\nhello\r\n0\r\nA\r\n\r\n',
    '5\r\nhello\r\n0\r\n: b\r\n\r\n',
    '5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n',
    '5\r\nhello\r\n0\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n',
    'A\r\n0123456789\r\n0\r\n\r\n',
    'a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n',
  ])

/** First lines of requests, each with the line end that it wants. */
export const REQUEST_LINES = [
  ...[
    'GET / HTTP/1.1',
    'GET / HTTP/1.0',
    'GET / HTTP/1.2',
    'GET / HTTP/2.0',
    'GET / HTTP/0.9',
    'GET / HTTP/11',
    'GET /',
  ],
  ...['GET / http/1.1', 'GET / HTTP/1.1 ', 'GET  / HTTP/1.1', 'GET /  HTTP/1.1', ' GET / HTTP/1.1', 'GET\t/ HTTP/1.1'],
  ...['GET / HTTP/1.1x', 'GET / HTTP/1', 'GET HTTP/1.1', 'get / HTTP/1.1', 'G(T / HTTP/1.1', 'GET /a b HTTP/1.1'],
  ...['OPTIONS * HTTP/1.1', 'GET * HTTP/1.1', 'GET x HTTP/1.1', 'GET ?a HTTP/1.1', 'GET //x/y HTTP/1.1'],
  ...['GET http://x/ HTTP/1.1', 'GET http://x HTTP/1.1', 'GET http://u@x/ HTTP/1.1', 'GET HTTP://X/ HTTP/1.1'],
  ...['GET http:/x HTTP/1.1', 'GET http:///x HTTP/1.1', 'GET ftp://x/ HTTP/1.1', 'GET https://x:443/ HTTP/1.1'],
  ...[
    'CONNECT x:443 HTTP/1.1',
    'TRACE / HTTP/1.1',
    'PROPFIND / HTTP/1.1',
    'REPORT / HTTP/1.1',
    'RPC_IN_DATA / HTTP/1.1',
  ],
  ...['GET /# HTTP/1.1', 'GET /?a#b HTTP/1.1', 'GET /\xe9 HTTP/1.1', 'GET /\0 HTTP/1.1', 'GET /\x7f HTTP/1.1'],
  ...['GET /../a HTTP/1.1', 'GET /%2e%2e/a HTTP/1.1', 'GET /a%2fb HTTP/1.1', 'GET /a\\b HTTP/1.1', 'GET /%zz HTTP/1.1'],
  ...['PRI * HTTP/2.0', 'EHLO x', '\x16\x03\x01', 'GET /"<>^`{|} HTTP/1.1', 'GET /?"<>^`{|} HTTP/1.1'],
]
  .map((line) => `${line}\r\n`)
  .concat(['GET / HTTP/1.1\n', 'GET / HTTP/1.1\r', '\r\nGET / HTTP/1.1\r\n', '\nGET / HTTP/1.1\r\n'])

/** First lines of responses. */
export const STATUS_LINES = [
  ...['HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 200 ', 'HTTP/1.1 200', 'HTTP/1.1 204 No', 'HTTP/1.1 304 No'],
  ...[
    'HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 101 Up',
    'HTTP/1.1 205 Reset',
    'HTTP/1.1 999 X',
    'HTTP/1.1 600 X',
  ],
  ...['HTTP/1.1  200 OK', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1 099 X', 'HTTP/1.1 000 X', 'HTTP/2.0 200 OK'],
  ...[
    'HTTP/1.2 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 \xe9',
    'ICY 200 OK',
    '* OK',
  ],
]
  .map((line) => `${line}\r\n`)
  .concat(['HTTP/1.1 200 OK\n', 'HTTP/1.1 200 OK\r', '\r\nHTTP/1.1 200 OK\r\n'])
