// SPDX-License-Identifier: MIT
// What a proxy adds to the time of a unit when it has half of what Portico could do: kept connections, a fixed rate.
import { readFileSync } from 'node:fs'
import { BASIC, client } from './measure.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const SCALE = Number(process.env.BENCH_SCALE ?? 1)
const CONNECTIONS = 32
const SECONDS = 10
const EVERYBODY = ['nginx', 'haproxy', 'portico']
/** Above this the client and the sink, which share a core, are measured more than the proxy. */
const BUSY = 0.8

/** `row` is what BENCH_ROWS asks for, `unit` what the client does, `direct` where the sink takes the same, without TLS. */
export const HALF_LOADS = [
  {
    row: 'smtp-half-load',
    name: 'SMTP 4 KiB',
    unit: 'smtp-rate',
    port: 'smtp',
    direct: 'smtp',
    peers: [...EVERYBODY, 'portico xforward'],
    units: 4000,
  },
  {
    row: 'http-half-load',
    name: 'HTTP GET 1 KiB, plain',
    unit: 'http-get',
    port: 'http',
    direct: 'page',
    peers: EVERYBODY,
    units: 20_000,
  },
  {
    row: 'http-half-load',
    name: 'HTTP GET 1 KiB, TLS',
    unit: 'http-get',
    port: 'https',
    tls: true,
    direct: 'page',
    peers: EVERYBODY,
    units: 20_000,
  },
]

/** Lines as run.mjs prints them, of the rows that are wanted; the time of each unit counts from when it was due. */
export async function measureHalfLoad(sink, peers, wanted) {
  const lines = []
  for (const load of HALF_LOADS) if (wanted(load.row)) lines.push(...(await measureLoad(load, sink, peers)))
  return lines
}

async function measureLoad(load, sink, peers) {
  const proxies = peers.filter(({ name }) => load.peers.includes(name))
  const portico = proxies.find(({ name }) => name === 'portico')
  if (portico === undefined) return []
  const perSecond = Math.round((await sustained(load, portico)) / 2)
  const direct = { name: 'sink', ports: { [load.port]: sink[load.direct] }, direct: true }
  const targets = [direct, ...proxies]
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const found = new Map()
    for (const target of targets) found.set(target.name, await atRate(load, target, perSecond))
    rounds.push(found)
  }
  const cells = (of) =>
    Object.fromEntries(
      targets.map(({ name }) => [name, { text: micros(median(rounds.map((found) => of(found, name)))) }]),
    )
  const rate = `at ${perSecond}/s`
  return [
    { row: `${load.name} ${rate}, median`, ...cells((found, name) => found.get(name).p50) },
    { row: `${load.name} ${rate}, 99 of 100`, ...cells((found, name) => found.get(name).p99) },
    { row: 'added to the 99 of 100', ...cells((found, name) => found.get(name).p99 - found.get('sink').p99) },
  ]
}

/** Units a second when every connection begins the next as soon as it may; the second run counts. */
async function sustained(load, portico) {
  const units = Math.max(CONNECTIONS, Math.round(load.units * SCALE))
  let rate = 0
  for (let run = 0; run < 2; run++) rate = units / (await go(load, portico, { units })).seconds
  return rate
}

async function atRate(load, target, perSecond) {
  const before = core0()
  const result = await go(load, target, { units: Math.round(perSecond * SECONDS * SCALE), perSecond })
  const { busy, all } = core0()
  const share = (busy - before.busy) / (all - before.all)
  if (share > BUSY)
    console.error(`half load: the client's core is ${Math.round(share * 100)} % busy, which shows in the figures`)
  return result
}

async function go({ unit, port, tls = false }, { name, ports, direct = false }, order) {
  const one = await client({
    row: unit,
    port: ports[port],
    tls: tls && !direct,
    signsIn: true,
    authorization: name.startsWith('portico') ? BASIC : '',
    connections: CONNECTIONS,
    ...order,
  })
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
