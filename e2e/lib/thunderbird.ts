// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, launch, privateFolder, testCertificates } from '@portico/testkit'
import { Marionette } from './marionette.js'

/** Thunderbird without a window, in a profile of its own, that trusts the authority of the tests. */
export interface Thunderbird {
  /** Runs the body of an asynchronous function within the program; its arguments are in `args`. */
  run(body: string, ...args: readonly unknown[]): Promise<unknown>
  /** Opens the mailbox of an account that is set up, reads its first message and copies it to Sent. */
  read(user: string, password: string): Promise<MailboxSeen>
  stop(): Promise<void>
}

export interface MailboxSeen {
  readonly folders: readonly string[]
  /** Of the messages in the inbox. */
  readonly subjects: readonly string[]
  /** The first message. */
  readonly text: string
}

/** Starts it with these preferences. They have to see to it that nothing leaves the machine. */
export async function startThunderbird(preferences: Readonly<Record<string, unknown>>): Promise<Thunderbird> {
  const folder = privateFolder('tb')
  const [control = 0] = await freePorts(1)
  const all = { ...QUIET, 'marionette.port': control, ...preferences }
  const lines = Object.entries(all).map(
    ([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`,
  )
  writeFileSync(join(folder, 'user.js'), lines.join(''))
  const program = await launch({
    command: 'thunderbird',
    args: ['--headless', '--marionette', '-remote-allow-system-access', '--no-remote', '--profile', folder],
    folder,
    logFile: join(folder, 'thunderbird.log'),
    ports: [control],
    env: { HOME: folder },
  })
  const marionette = await Marionette.open(control)
  await marionette.run(TRUST, testCertificates().ca.certificate)
  return {
    run: (body, ...args) => marionette.run(body, ...args),
    read: async (user, password) => (await marionette.run(READ, user, password)) as MailboxSeen,
    async stop() {
      marionette.close()
      await program.stop()
    },
  }
}

const QUIET = {
  'mailnews.start_page.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'app.update.enabled': false,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.rights.version': 1,
  'mail.spotlight.firstRunDone': true,
}

/** The test's own authority, for servers. */
const TRUST = `
const base64 = args[0].replace(/-----[^-]+-----|\\s/g, '')
const { classes, interfaces } = Components
classes['@mozilla.org/security/x509certdb;1'].getService(interfaces.nsIX509CertDB).addCertFromBase64(base64, 'CT,,')
`

const READ = `
const [user, password] = args
const { classes, interfaces } = Components
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
const server = MailServices.accounts.accounts.map((account) => account.incomingServer).find(({ username }) => username === user)
server.password = password
server.performExpand(null)
const folder = async (flag) => {
  for (;;) {
    const found = server.rootFolder.getFolderWithFlags(interfaces.nsMsgFolderFlags[flag])
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const finished = (start, stopped, more) => new Promise((resolve, reject) => start({
  ...more,
  [stopped]: (...facts) => {
    const status = facts.at(-1)
    status === 0 ? resolve() : reject(new Error('status ' + status.toString(16)))
  },
}))
const [inbox, sent] = [(await folder('Inbox')).QueryInterface(interfaces.nsIMsgImapMailFolder), await folder('SentMail')]
await finished((listener) => inbox.updateFolderWithListener(null, listener), 'OnStopRunningUrl', {
  QueryInterface: ChromeUtils.generateQI(['nsIUrlListener']),
  OnStartRunningUrl() {},
})
const messages = [...inbox.messages]
const uri = inbox.getUriForMsg(messages[0])
let text = ''
await finished((listener) => MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, ''), 'onStopRequest', {
  QueryInterface: ChromeUtils.generateQI(['nsIStreamListener']),
  onStartRequest() {},
  onDataAvailable(_request, input, _offset, count) {
    const stream = classes['@mozilla.org/scriptableinputstream;1'].createInstance(interfaces.nsIScriptableInputStream)
    stream.init(input)
    text += stream.read(count)
  },
})
await finished((listener) => MailServices.copy.copyMessages(inbox, [messages[0]], sent, false, listener, null, false), 'onStopCopy', {
  QueryInterface: ChromeUtils.generateQI(['nsIMsgCopyServiceListener']),
  onStartCopy() {},
  onProgress() {},
})
return {
  folders: [inbox, sent].map(({ URI }) => URI.split('/').at(-1)),
  subjects: messages.map(({ mime2DecodedSubject }) => mime2DecodedSubject),
  text,
}
`
