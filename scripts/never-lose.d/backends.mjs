// SPDX-License-Identifier: MIT
// The mailbox servers and the MTA, so configured that what they have taken is on the disk, and that they come back soon.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { launch, startDovecot, startPostfix } from '@portico/testkit'
import { childrenOf, killOneOf } from './processes.mjs'

const QUEUES = ['maildrop', 'incoming', 'active', 'deferred']
const FLUSHED_MS = 300_000

/** A Dovecot with LMTP; `kill` and `killChild` bring it back. */
export async function startMailboxes(name, users) {
  const options = { name, users, extra: 'mail_fsync = always\n' }
  let dovecot = await startDovecot(options)
  return {
    ports: dovecot.ports,
    folder: dovecot.folder,
    async kill() {
      await dovecot.kill()
      dovecot = await startDovecot({ ...options, successorOf: dovecot })
    },
    killChild: async (random) =>
      killOneOf(
        random,
        childrenOf(dovecot.pid).filter((child) => child.name === 'lmtp'),
      ),
    stop: () => dovecot.stop(),
  }
}

/** Postfix keeps its queue on the disk by itself. It tries a mailbox server again at once that was away. */
const PATIENT = `
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
service_throttle_time = 1s
destination_concurrency_failed_cohort_limit = 100
default_destination_concurrency_failed_cohort_limit = 100
message_size_limit = 20000000
`

export async function startMta(name, lmtpPort) {
  let postfix = await startPostfix({ name, lmtpPort, extra: PATIENT })
  const { folder, logFile, port } = postfix
  const etc = join(folder, 'etc')
  const queued = () => QUEUES.flatMap((queue) => filesIn(join(folder, 'spool', queue)))
  return {
    port,
    async kill() {
      await postfix.kill()
      const command = '/usr/lib/postfix/sbin/master'
      postfix = { ...(await launch({ command, args: ['-c', etc, '-d'], folder, logFile, ports: [port] })), port }
    },
    killChild: async (random) => {
      const serving = childrenOf(postfix.pid).filter(({ name }) =>
        /^(smtpd|cleanup|qmgr|lmtp|trivial-rewrite)$/.test(name),
      )
      killOneOf(random, serving)
    },
    /** Until everything it has taken is delivered. */
    async flush() {
      const until = Date.now() + FLUSHED_MS
      while (queued().length > 0) {
        if (Date.now() > until) throw new Error(`the MTA still has ${queued().length} messages queued`)
        execFileSync('/usr/sbin/postqueue', ['-c', etc, '-f'], { stdio: 'pipe' })
        await pause(200)
      }
    },
    log: () => postfix.log(),
    stop: () => postfix.stop(),
  }
}

/** Those that are whole: the others belonged to a process that died before it had taken them, and are never delivered. */
function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => join(folder, name))
  return names.filter((name) => {
    const stat = statSync(name, { throwIfNoEntry: false })
    return stat?.isFile() && (stat.mode & 0o100) !== 0
  })
}
