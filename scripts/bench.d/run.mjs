// SPDX-License-Identifier: MIT
// CPU microseconds of each proxy for one unit of work, interleaved round by round on pinned cores; medians; no error is forgiven.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { HALF_LOADS, measureHalfLoad } from './half-load.mjs'
import { measureIdle } from './idle.mjs'
import { BASIC, client, withSink } from './measure.mjs'
import { startPeers } from './peers.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const ONLY = process.env.BENCH_ROWS?.split(',')
const SCALE = Number(process.env.BENCH_SCALE ?? 1)
const wanted = (row) => ONLY === undefined || ONLY.includes(row)
/** The warm-up does so many times the units: a compiler is not done after a second. */
const WARM_UP = 3
const ROWS = [
  { name: 'IMAP login, plain', row: 'imap-login', port: 'imap', connections: 16, units: 1500 },
  {
    name: 'IMAP login, TLS full',
    row: 'imap-login',
    port: 'imaps',
    tls: true,
    connections: 16,
    units: 600,
    wall: 'rate',
  },
  { name: 'IMAP login, TLS resumed', row: 'imap-resumed', port: 'imaps', tls: true, connections: 16, units: 800 },
  { name: 'POP3 login, plain', row: 'pop3-login', port: 'pop3', connections: 16, units: 1500 },
  { name: 'IMAP login, plain, one client', row: 'imap-login', port: 'imap', connections: 1, units: 300, wall: 'p50' },
  { name: 'IMAP round trip, plain', row: 'imap-noop', port: 'imap', connections: 16, units: 15000 },
  { name: 'IMAP round trip, TLS', row: 'imap-noop', port: 'imaps', tls: true, connections: 16, units: 12000 },
  { name: 'IMAP 1 MiB down, plain', row: 'imap-down', port: 'imap', connections: 4, units: 300, wall: 'rate' },
  {
    name: 'IMAP 1 MiB down, TLS',
    row: 'imap-down',
    port: 'imaps',
    tls: true,
    connections: 4,
    units: 200,
    wall: 'rate',
  },
  { name: 'IMAP 1 MiB up, plain', row: 'imap-up', port: 'imap', connections: 4, units: 300, wall: 'rate' },
  { name: 'IMAP 1 MiB up, TLS', row: 'imap-up', port: 'imaps', tls: true, connections: 4, units: 200, wall: 'rate' },
  { name: 'SMTP 4 KiB, a connection each, plain', row: 'smtp-message', port: 'smtp', connections: 8, units: 500 },
  {
    name: 'SMTP 4 KiB, a connection each, TLS',
    row: 'smtp-message',
    port: 'smtps',
    tls: true,
    connections: 8,
    units: 300,
  },
  { name: 'SMTP 4 KiB, 20 a connection, plain', row: 'smtp-many', port: 'smtp', connections: 8, units: 2000 },
  { name: 'SMTP 4 KiB, 20 a connection, TLS', row: 'smtp-many', port: 'smtps', tls: true, connections: 8, units: 1500 },
  { name: 'SMTP 1 MiB, 20 a connection, plain', row: 'smtp-large', port: 'smtp', connections: 4, units: 300 },
  { name: 'SMTP 1 MiB, 20 a connection, TLS', row: 'smtp-large', port: 'smtps', tls: true, connections: 4, units: 200 },
  { name: 'BDAT 4 KiB, 20 a connection, plain', row: 'bdat-many', port: 'smtp', connections: 8, units: 2000 },
  { name: 'BDAT 1 MiB, 20 a connection, plain', row: 'bdat-large', port: 'smtp', connections: 4, units: 300 },
  { name: 'HTTP GET 1 KiB, plain', row: 'http-get', port: 'http', connections: 16, units: 8000 },
  { name: 'HTTP GET 1 KiB, TLS', row: 'http-get', port: 'https', tls: true, connections: 16, units: 6000 },
  {
    name: 'HTTP GET 1 KiB with a cookie, TLS',
    row: 'http-cookie',
    port: 'https',
    tls: true,
    connections: 16,
    units: 6000,
  },
  { name: 'HTTP 100 KiB down, plain', row: 'http-down', port: 'http', connections: 8, units: 2000 },
  { name: 'HTTP 100 KiB down, TLS', row: 'http-down', port: 'https', tls: true, connections: 8, units: 1200 },
  { name: 'HTTP 100 KiB up, plain', row: 'http-up', port: 'http', connections: 8, units: 2000 },
  { name: 'HTTP 100 KiB up, TLS', row: 'http-up', port: 'https', tls: true, connections: 8, units: 1200 },
  { name: 'HTTP/2, 8 GETs of 1 KiB at a time', row: 'http2-get', port: 'https', tls: true, connections: 4, units: 800 },
].filter(({ row }) => wanted(row))

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

async function measure(peer, row, units) {
  const order = {
    row: row.row,
    port: peer.ports[row.port],
    tls: row.tls ?? false,
    connections: row.connections,
    units,
    authorization: peer.name.startsWith('portico') ? BASIC : '',
    signsIn: peer.signsIn,
  }
  try {
    const clients = await client(order)
    const before = peer.cpu()
    const { seconds, p50 } = await clients.go()
    const cpu = (peer.cpu() - before) / 1000 / units
    clients.stop()
    return { cpu, rate: units / seconds, p50 }
  } catch (error) {
    throw new Error(`${row.name} over ${peer.name}: ${error.message}`)
  }
}

/** All rounds of a row: what each peer that can do it came to. */
async function measureRow(row, peers) {
  const able = peers.filter(({ serves }) => serves.includes(row.port))
  const results = new Map(able.map((peer) => [peer.name, []]))
  const units = Math.max(1, Math.round(row.units * SCALE))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const peer of able) {
      const result = await measure(peer, row, round === 0 ? WARM_UP * units : units)
      if (round > 0) results.get(peer.name).push(result)
    }
  }
  const base = results.get('nginx')
  const line = { row: row.name }
  for (const [name, list] of results) {
    const ratio = median(list.map(({ cpu }, n) => cpu / base[n].cpu))
    const us = median(list.map(({ cpu }) => cpu))
    line[name] = { text: `${short(us)} (${ratio.toFixed(2)})`, wall: wallOf(row, list) }
  }
  return line
}

const short = (value) => (value < 100 ? value.toFixed(1) : value.toFixed(0))

function wallOf({ wall }, list) {
  if (wall === 'p50') return `${short(median(list.map(({ p50 }) => p50)))} us`
  return wall === 'rate' ? `${short(median(list.map(({ rate }) => rate)))}/s` : undefined
}

async function main() {
  if (cpus().length < 2) throw new Error('two cores are needed: one for the proxies, one for everything else')
  const table = []
  let halfLoad = []
  if (ROWS.length > 0 || HALF_LOADS.some(({ row }) => wanted(row))) {
    await withSink(async (at) => {
      const peers = await startPeers(at)
      try {
        for (const row of ROWS) {
          const line = await measureRow(row, peers)
          table.push(line)
          console.log(format(line, 'text'))
        }
        halfLoad = await measureHalfLoad(at.sink, peers, wanted)
      } finally {
        await Promise.all(peers.map((peer) => peer.stop()))
      }
    })
  }
  const walls = table.filter(({ nginx }) => nginx.wall !== undefined)
  const parts = [markdown('unit', table, 'text'), markdown('by the clock', walls, 'wall')]
  parts.push(markdown('latency', halfLoad, 'text'))
  parts.push(markdown('what waits', await measureIdle(wanted), 'text'))
  const text = parts.filter((part) => part !== '').join('\n\n')
  if (process.env.BENCH_OUT) writeFileSync(process.env.BENCH_OUT, `${text}\n`)
  console.log(`\n${process.version}\n\n${text}`)
}

function format({ row, ...peers }, what) {
  return `${row}: ${Object.entries(peers)
    .map(([name, cell]) => `${name} ${cell[what]}`)
    .join(', ')}`
}

function markdown(title, table, what) {
  if (table.length === 0) return ''
  const names = [...new Set(table.flatMap(({ row: _, ...peers }) => Object.keys(peers)))]
  const lines = [`| ${title} | ${names.join(' | ')} |`, `| --- |${' ---: |'.repeat(names.length)}`]
  for (const line of table)
    lines.push(`| ${line.row} | ${names.map((name) => line[name]?.[what] ?? '–').join(' | ')} |`)
  return lines.join('\n')
}

await main()
