// SPDX-License-Identifier: MIT
// What rspamd would say of ordinary mail, in the size that it says it in: any server that is faster measures the proxy alone.
import { createServer } from 'node:http'

const symbol = (name, score) => [name, { name, score, metric_score: score, description: `what ${name} stands for` }]
const SYMBOLS = [
  'R_SPF_ALLOW',
  'R_DKIM_NA',
  'DMARC_NA',
  'MIME_GOOD',
  'ARC_NA',
  'FROM_NO_DN',
  'TO_DN_NONE',
  'RCVD_COUNT_ONE',
]
const ANSWER = JSON.stringify({
  is_skipped: false,
  score: 1.5,
  required_score: 15,
  action: 'no action',
  thresholds: { reject: 15, 'add header': 6, greylist: 4 },
  symbols: Object.fromEntries(SYMBOLS.map((name, at) => symbol(name, at / 10))),
  messages: {},
  'message-id': '1@bench.test',
  time_real: 0.012,
  milter: { add_headers: {}, remove_headers: { 'X-Spam': { order: 0 } } },
})

export const judge = createServer((request, response) => {
  request.resume()
  request.on('end', () => response.end(ANSWER))
})
