// SPDX-License-Identifier: MIT
import { parseArgs } from 'node:util'
import { startBackends } from './backends.mjs'
import { runClient } from './clients.mjs'
import { eventually, Portico, pause } from './portico.mjs'

// What was started ends with this process, and folders are removed.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'at-once': { type: 'string', default: '40' },
    transport: { type: 'string', default: 'auto' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('scripts/soak [--minutes 10] [--at-once 40] [--transport auto|node]')
  process.exit(0)
}
/** One round: load, then a pause in which everything has to come to rest and is measured. */
const ROUND_MS = 10_000
/** Rounds whose memory does not count: caches fill, code is compiled. */
const WARM_UP = 4
/** Octets of memory that one session may leave behind, by the slope of all measurements. */
const MOST_PER_SESSION = 64
/** What the slope has to come to in all before it is more than the unrest of a heap. */
const UNREST = 2 * 2 ** 20
/** Connections that the pools of one worker may keep, beside its listening sockets: HTTP alone can be used again. */
const MOST_IDLE = 16

/** What may be there more at one moment than at another: the front end's one timer, and the log file's descriptor. */
const SPARE = { Timeout: 1, descriptors: 2 }

const findings = []
const find = (what) => {
  if (findings.length < 50) findings.push(what)
}
const backends = await startBackends()
const portico = new Portico(values.transport)
await portico.start(backends.ports)
/** What a worker holds before anybody came. */
const [base] = await Promise.all(portico.workers().map((pid) => portico.holds(pid)))
const until = performance.now() + Number(values.minutes) * 60_000
const atOnce = Number(values['at-once'])
const series = new Map()
let sessions = 0
let round = 0
let killed = false

while (performance.now() < until || round < WARM_UP + 4) {
  const disturbed = round === 1
  await load(disturbed)
  await portico.reload()
  const resting = await measure()
  round += 1
  const held = resting.map(
    ({ memory, descriptors }) => `${(memory / 2 ** 20).toFixed(1)} MiB, ${descriptors} descriptors`,
  )
  console.log(
    `round ${round}: ${sessions} sessions, ${held.join(' | ')}, ${backends.open()} backend connections, ${findings.length} findings`,
  )
}
await atRest()
judgeMemory()
for (const line of portico.faults().slice(0, 10)) find(`the log: ${line}`)
const code = await portico.stop()
if (code !== 0) find(`it ended with ${code}`)
console.log(`\n${sessions} sessions in ${round} rounds with a reload each; a worker was ${killed ? '' : 'not '}killed`)
for (const finding of findings) console.log(`found: ${finding}`)
console.log(findings.length === 0 ? 'nothing left behind' : `${findings.length} found`)
process.exit(findings.length === 0 ? 0 : 1)

/** Clients for one round. In the round in which a worker is killed its clients are not judged. */
async function load(disturbed) {
  const end = performance.now() + ROUND_MS
  let broken = false
  const one = async () => {
    while (performance.now() < end) {
      const wrong = await runClient(sessions++, portico.doors)
      if (wrong !== undefined && !broken) find(wrong)
    }
  }
  const all = Promise.all(Array.from({ length: atOnce }, one))
  if (disturbed) {
    await pause(ROUND_MS / 3)
    broken = true
    await portico.killWorker()
    killed = true
  }
  // A configuration that changes under load.
  if (round % 2 === 0) await portico.reload()
  await all
}

/** What the workers hold once nobody is there any more. */
async function measure() {
  const held = []
  for (const pid of portico.workers()) {
    const found = await atEase(pid)
    held.push(found)
    const own = series.get(pid) ?? []
    own.push({ sessions, memory: found.memory })
    series.set(pid, own)
  }
  return held
}

/** Clients are gone, but a session may still be saying goodbye to a backend: no more client sockets than pools keep. */
async function atEase(pid) {
  let found
  try {
    return await eventually(async () => {
      found = await portico.holds(pid)
      return found.TCPSocketWrap <= base.TCPSocketWrap + MOST_IDLE && found
    }, 'rest')
  } catch {
    find(`worker ${pid} holds ${found.TCPSocketWrap} sockets although nobody is there`)
    return found
  }
}

/** Pools let their idle connections go after a minute: then nothing may be left but what a worker begins with. */
async function atRest() {
  for (const pid of portico.workers()) {
    let more = []
    const rested = async () => {
      const held = await portico.holds(pid)
      more = Object.keys(held).filter(
        (kind) => !/pid|memory/.test(kind) && held[kind] > (base[kind] ?? 0) + (SPARE[kind] ?? 0),
      )
      more = more.map((kind) => `${held[kind]} ${kind} instead of ${base[kind] ?? 0}`)
      return more.length === 0
    }
    await eventually(rested, 'rest', 100_000).catch(() => find(`worker ${pid} still holds ${more.join(', ')}`))
  }
  if (backends.open() > 0) find(`${backends.open()} backend connections are still open: leases that nobody gave back`)
}

/** Least squares over what was held at rest after so many sessions. */
function judgeMemory() {
  for (const [pid, all] of series) {
    const points = all.slice(WARM_UP)
    if (points.length < 4) continue
    const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / points.length
    const [x, y] = [mean('sessions'), mean('memory')]
    const slope =
      points.reduce((sum, point) => sum + (point.sessions - x) * (point.memory - y), 0) /
      points.reduce((sum, point) => sum + (point.sessions - x) ** 2, 0)
    console.log(`worker ${pid}: ${slope.toFixed(1)} octets left per session, over ${points.length} measurements`)
    const grown = slope * (points.at(-1).sessions - points[0].sessions)
    if (slope > MOST_PER_SESSION && grown > UNREST)
      find(`worker ${pid} keeps ${slope.toFixed(0)} octets of each session (at most ${MOST_PER_SESSION})`)
  }
}
