// SPDX-License-Identifier: MIT
// CPU microseconds of each proxy for one unit of work, interleaved round by round on pinned cores; medians; no error is forgiven.
import { execFileSync, fork } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { certificate, freePorts, startPeers } from './peers.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const ONLY = process.env.BENCH_ROWS?.split(',')
const BASIC = `Authorization: Basic ${Buffer.from('web:secret').toString('base64')}\r\n`
const ROWS = [
  { name: 'IMAP login, plain', row: 'imap-login', port: 'imap', connections: 16, units: 1500 },
  { name: 'IMAP login, TLS full', row: 'imap-login', port: 'imaps', tls: true, connections: 16, units: 600 },
  { name: 'IMAP round trip, plain', row: 'imap-noop', port: 'imap', connections: 16, units: 15000 },
  { name: 'IMAP round trip, TLS', row: 'imap-noop', port: 'imaps', tls: true, connections: 16, units: 12000 },
  { name: 'IMAP 1 MiB down, plain', row: 'imap-down', port: 'imap', connections: 4, units: 300 },
  { name: 'IMAP 1 MiB down, TLS', row: 'imap-down', port: 'imaps', tls: true, connections: 4, units: 200 },
  { name: 'IMAP 1 MiB up, plain', row: 'imap-up', port: 'imap', connections: 4, units: 300 },
  { name: 'IMAP 1 MiB up, TLS', row: 'imap-up', port: 'imaps', tls: true, connections: 4, units: 200 },
  { name: 'SMTP message 4 KiB, a connection each', row: 'smtp-message', port: 'smtp', connections: 8, units: 500 },
  { name: 'HTTP GET 1 KiB, keep-alive', row: 'http-get', port: 'http', connections: 16, units: 8000 },
].filter(({ row }) => ONLY === undefined || ONLY.includes(row))

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')
const pinned = (file, args) =>
  fork(file, args, {
    execPath: '/usr/bin/taskset',
    execArgv: ['-c', '0', process.execPath],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
const message = (child) => new Promise((done) => child.once('message', done))

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

async function measure(peer, row) {
  const generator = pinned(join(root, 'scripts/bench.d/generate.mjs'), [])
  const began = message(generator)
  generator.send({
    row: row.row,
    port: peer.ports[row.port],
    tls: row.tls ?? false,
    connections: row.connections,
    units: row.units,
    authorization: peer.name === 'portico' ? BASIC : '',
  })
  await began
  const before = peer.cpu()
  const ended = message(generator)
  generator.send('go')
  const { done, seconds, errors, first } = await ended
  if (done !== true) throw new Error(`${row.name} over ${peer.name}: the generator did not finish`)
  const used = (peer.cpu() - before) / 1000 / row.units
  generator.disconnect()
  generator.kill()
  if (errors > 0) throw new Error(`${row.name} over ${peer.name}: ${errors} errors, the first: ${first}`)
  return { cpu: used, rate: row.units / seconds }
}

async function main() {
  if (cpus().length < 2) throw new Error('two cores are needed: one for the proxies, one for everything else')
  for (const tool of ['nginx', 'haproxy', 'openssl', 'taskset']) execFileSync('which', [tool], { stdio: 'ignore' })
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'))
  const log = openSync(join(folder, 'peers.log'), 'w')
  const tls = certificate(folder)
  const sinkPorts = await freePorts(4)
  const sinkProcess = pinned(join(root, 'scripts/bench.d/sink.mjs'), sinkPorts.map(String))
  const { ports: sink } = await message(sinkProcess)
  let peers = []
  try {
    peers = await startPeers({ folder, tls, sink, root, log })
    const table = []
    for (const row of ROWS) {
      const results = new Map(peers.map((peer) => [peer.name, []]))
      for (let round = 0; round <= ROUNDS; round++) {
        for (const peer of peers) {
          const result = await measure(peer, row)
          if (round > 0) results.get(peer.name).push(result)
        }
      }
      const line = { row: row.name }
      const base = results.get('nginx')
      for (const [name, list] of results) {
        const ratio = median(list.map(({ cpu }, n) => cpu / base[n].cpu))
        line[name] = { us: median(list.map(({ cpu }) => cpu)), ratio, rate: median(list.map(({ rate }) => rate)) }
      }
      table.push(line)
      console.log(format(line))
    }
    if (process.env.BENCH_OUT) writeFileSync(process.env.BENCH_OUT, `${markdown(table)}\n`)
    console.log(`\n${markdown(table)}`)
  } finally {
    for (const peer of peers) peer.stop()
    sinkProcess.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

const cell = ({ us, ratio }) => `${us < 100 ? us.toFixed(1) : us.toFixed(0)} (${ratio.toFixed(2)})`

function format(line) {
  const { row, ...peers } = line
  return `${row}: ${Object.entries(peers)
    .map(([name, value]) => `${name} ${cell(value)}`)
    .join(', ')}`
}

function markdown(table) {
  const names = Object.keys(table[0]).filter((name) => name !== 'row')
  const lines = [`| unit | ${names.join(' | ')} |`, `| --- |${' ---: |'.repeat(names.length)}`]
  for (const line of table) lines.push(`| ${line.row} | ${names.map((name) => cell(line[name])).join(' | ')} |`)
  return lines.join('\n')
}

await main()
