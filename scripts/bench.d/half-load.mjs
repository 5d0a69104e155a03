// SPDX-License-Identifier: MIT
// What a proxy adds to the time of a message when it has half of what Portico could do: 4 KiB over kept connections, at a fixed rate.
import { readFileSync } from 'node:fs'
import { client } from './measure.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const SCALE = Number(process.env.BENCH_SCALE ?? 1)
const CONNECTIONS = 32
const SECONDS = 10
const PEERS = ['nginx', 'haproxy', 'portico', 'portico xforward']
/** Above this the client and the sink, which share a core, are measured more than the proxy. */
const BUSY = 0.8

/** Lines as run.mjs prints them; the time of each message counts from when it was due. */
export async function measureHalfLoad(sink, peers) {
  const proxies = peers.filter(({ name }) => PEERS.includes(name))
  const portico = proxies.find(({ name }) => name === 'portico')
  if (portico === undefined) return []
  const perSecond = Math.round((await sustained(portico.ports.smtp)) / 2)
  const targets = new Map([['sink', sink.smtp], ...proxies.map(({ name, ports }) => [name, ports.smtp])])
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const found = new Map()
    for (const [name, port] of targets) found.set(name, await atRate(port, perSecond))
    rounds.push(found)
  }
  const cells = (of) =>
    Object.fromEntries(
      [...targets.keys()].map((name) => [name, { text: micros(median(rounds.map((found) => of(found, name)))) }]),
    )
  const rate = `at ${perSecond}/s`
  return [
    { row: `SMTP 4 KiB ${rate}, median`, ...cells((found, name) => found.get(name).p50) },
    { row: `SMTP 4 KiB ${rate}, 99 of 100`, ...cells((found, name) => found.get(name).p99) },
    { row: 'added to the 99 of 100', ...cells((found, name) => found.get(name).p99 - found.get('sink').p99) },
  ]
}

/** Messages a second when every connection sends the next as soon as it may; the second run counts. */
async function sustained(port) {
  const units = Math.round(4000 * SCALE)
  let rate = 0
  for (let run = 0; run < 2; run++) rate = units / (await go({ port, units, connections: CONNECTIONS })).seconds
  return rate
}

async function atRate(port, perSecond) {
  const before = core0()
  const result = await go({ port, units: Math.round(perSecond * SECONDS * SCALE), connections: CONNECTIONS, perSecond })
  const { busy, all } = core0()
  const share = (busy - before.busy) / (all - before.all)
  if (share > BUSY)
    console.error(`half load: the client's core is ${Math.round(share * 100)} % busy, which shows in the figures`)
  return result
}

async function go(order) {
  const one = await client({ row: 'smtp-rate', tls: false, signsIn: true, ...order })
  try {
    return await one.go()
  } finally {
    one.stop()
  }
}

/** Ticks of core 0 since the start of the system. */
function core0() {
  const [, ...fields] = /^cpu0 .*$/m.exec(readFileSync('/proc/stat', 'latin1'))[0].split(/\s+/).map(Number)
  const all = fields.reduce((sum, ticks) => sum + ticks, 0)
  const [, , , idle, waiting] = fields
  return { all, busy: all - idle - waiting }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

const micros = (value) => `${Math.round(value)} us`
