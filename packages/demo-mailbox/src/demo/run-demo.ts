// SPDX-License-Identifier: MIT
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDemoCa } from '../ca.js'
import { createDemoMailbox, type DemoMailbox } from '../demo-mailbox.js'
import { DemoDirectory } from '../mail-store.js'
import { configurationText, type DemoListener, type DemoUser, FILES, SIGN_OUT, usersText } from './configuration.js'
import { FrontEndProcess } from './front-end-process.js'
import { freePort } from './ports.js'
import { sheetText } from './sheet.js'

const ALICE: DemoUser = { name: 'alice', password: 'wonderland', group: 'first' }
const BOB: DemoUser = { name: 'bob', password: 'sponge', group: 'second' }

const WANTED: readonly DemoListener[] = [
  { protocol: 'imap4', tls: 'implicit', service: 'imaps', port: 1993 },
  { protocol: 'imap4', tls: 'starttls', service: 'imap', port: 1143 },
  { protocol: 'pop3', tls: 'implicit', service: 'pop3s', port: 1995 },
  { protocol: 'pop3', tls: 'starttls', service: 'pop3', port: 1110 },
  { protocol: 'smtp', tls: 'implicit', service: 'submissions', port: 1465 },
  { protocol: 'smtp', tls: 'starttls', service: 'submission', port: 1587 },
  { protocol: 'smtp', tls: 'starttls', service: 'smtp', port: 1025, connector: 'inbound' },
  { protocol: 'http', tls: 'implicit', service: 'https', port: 1443 },
]

/**
 * The whole demo: two mailbox servers, certificates, a configuration, and the front end over them. Runs until `stop` settles or
 * the front end ends; returns the exit code. `print` writes to whoever watches.
 */
export async function runDemo(portico: string, stop: Promise<void>, print: (text: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-demo-'))
  const mailboxes: DemoMailbox[] = []
  let frontEnd: FrontEndProcess | undefined
  try {
    const groups = await startMailboxes(mailboxes)
    const { listeners, moved } = await choosePorts()
    await writeFiles(folder, listeners, groups)
    frontEnd = new FrontEndProcess(portico, join(folder, 'portico.yaml'))
    const ports = listeners.map(({ port }) => port)
    const started = await Promise.race([frontEnd.ready(ports), stop.then(() => 'stopped' as const)])
    if (started === 'stopped') return 0
    if (!started) {
      print('The front end did not start.\n')
      return 1
    }
    const waiting = mailboxes.at(-1)?.account(BOB.name)?.inbox.messages.length ?? 0
    print(sheetText({ folder, listeners, users: [ALICE, BOB], moved, waiting }))
    const how = await Promise.race([frontEnd.gone, stop])
    if (how === undefined) return 0
    print(`The front end has ended by itself: ${how}\n`)
    return 1
  } finally {
    await frontEnd?.stop()
    await Promise.all(mailboxes.map((mailbox) => mailbox[Symbol.asyncDispose]()))
    await rm(folder, { recursive: true, force: true })
  }
}

async function startMailboxes(started: DemoMailbox[]): Promise<ReadonlyMap<string, DemoMailbox>> {
  const directory = new DemoDirectory()
  const groups = new Map<string, DemoMailbox>()
  for (const user of [ALICE, BOB]) {
    const mailbox = await createDemoMailbox({
      name: user.group,
      users: [user],
      mail: 'seed',
      directory,
      signOut: SIGN_OUT,
    })
    started.push(mailbox)
    groups.set(user.group, mailbox)
  }
  return groups
}

async function choosePorts(): Promise<{ readonly listeners: readonly DemoListener[]; readonly moved: string[] }> {
  const taken = new Set<number>()
  const moved: string[] = []
  const listeners: DemoListener[] = []
  for (const wanted of WANTED) {
    const port = await freePort(wanted.port, taken)
    taken.add(port)
    listeners.push({ ...wanted, port })
    if (port !== wanted.port) moved.push(`(${wanted.service}: port ${wanted.port} is taken, so it is ${port})`)
  }
  return { listeners, moved }
}

async function writeFiles(
  folder: string,
  listeners: readonly DemoListener[],
  groups: ReadonlyMap<string, DemoMailbox>,
): Promise<void> {
  await chmod(folder, 0o700)
  const { caPem, certificatePem, keyPem } = await createDemoCa()
  const put = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 })
  await put(FILES.ca, caPem)
  await put(FILES.certificate, certificatePem)
  await put(FILES.key, keyPem)
  await put(FILES.users, usersText([ALICE, BOB]))
  await put('portico.yaml', configurationText(folder, listeners, groups))
}
