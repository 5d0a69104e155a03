// SPDX-License-Identifier: MIT
import { X509Certificate } from 'node:crypto'
import { testCertificates } from '@portico/testkit'
import nodemailer from 'nodemailer'
import { type ClientRun, python, run, settingsFile } from './clients.js'

/** How one message is to be sent. alice sends it to herself. */
export interface Sending {
  readonly port: number
  readonly implicitTls: boolean
  /** SASL mechanism, in upper case. */
  readonly mechanism: string
  readonly user: string
  readonly password: string
  readonly subject: string
}

/** A mail program; resolves with its exit code, 0 when it thinks that the message was sent. */
export interface Sender {
  readonly program: string
  /** What it can do of what Portico can do. */
  readonly mechanisms: readonly string[]
  send(sending: Sending): Promise<ClientRun>
}

const ADDRESS = 'alice@test.lan'
/** The line with a dot is one that every one of them has to stuff. */
const BODY = '.dot first\nhello\n'
const message = (subject: string): string =>
  `From: ${ADDRESS}\nTo: ${ADDRESS}\nSubject: ${subject}\n\n${BODY}`.replaceAll('\n', '\r\n')
const ca = (): string => testCertificates().ca.certificateFile

/** As `certificate=` of a users file has it: alice's. */
export const certificateOfAlice = (): string =>
  new X509Certificate(testCertificates().client.certificate).fingerprint256

const swaks: Sender = {
  program: 'swaks',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  send: ({ port, implicitTls, mechanism, user, password, subject }) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(port), implicitTls ? '-tlsc' : '-tls', '--auth', mechanism],
      ...['-au', user, '-ap', password, '--from', ADDRESS, '--to', ADDRESS, '--header', `Subject: ${subject}`],
      ...['--body', BODY],
    ]),
}

const msmtp: Sender = {
  program: 'msmtp',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'EXTERNAL'],
  send({ port, implicitTls, mechanism, user, password, subject }) {
    const { certificateFile, keyFile } = testCertificates().client
    const rc = `account default
host localhost
port ${port}
tls on
tls_starttls ${implicitTls ? 'off' : 'on'}
tls_trust_file ${ca()}
${mechanism === 'EXTERNAL' ? `tls_cert_file ${certificateFile}\ntls_key_file ${keyFile}` : ''}
auth ${mechanism.toLowerCase()}
user ${user}
password ${password}
from ${ADDRESS}
`
    return run('msmtp', ['-C', settingsFile('msmtprc', rc).file, ADDRESS], { input: message(subject) })
  },
}

const curl: Sender = {
  program: 'curl',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'EXTERNAL'],
  send({ port, implicitTls, mechanism, user, password, subject }) {
    const { certificateFile, keyFile } = testCertificates().client
    const proof =
      mechanism === 'EXTERNAL'
        ? ['--cert', certificateFile, '--key', keyFile, '-u', `${user}:`]
        : ['-u', `${user}:${password}`]
    return run(
      'curl',
      [
        ...['-sS', '--ssl-reqd', '--cacert', ca(), `smtp${implicitTls ? 's' : ''}://127.0.0.1:${port}`, ...proof],
        ...['--login-options', `AUTH=${mechanism}`, '--mail-from', ADDRESS, '--mail-rcpt', ADDRESS, '-T', '-'],
      ],
      { input: message(subject) },
    )
  },
}

const neomutt: Sender = {
  program: 'neomutt',
  mechanisms: ['PLAIN', 'LOGIN'],
  send({ port, implicitTls, mechanism, user, password, subject }) {
    const { folder, file } = settingsFile(
      'muttrc',
      `set smtp_url="smtp${implicitTls ? 's' : ''}://${user}@localhost:${port}/" smtp_pass="${password}"
set smtp_authenticators="${mechanism.toLowerCase()}" ssl_force_tls=yes ssl_ca_certificates_file="${ca()}"
set from="${ADDRESS}" use_from=yes record="" copy=no hostname="test.lan" use_envelope_from=yes
`,
    )
    const env = { HOME: folder, TERM: 'dumb' }
    return run('neomutt', ['-n', '-F', file, '-s', subject, ADDRESS], { input: BODY, env })
  },
}

const sNail: Sender = {
  program: 's-nail',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'EXTERNAL'],
  send({ port, implicitTls, mechanism, user, password, subject }) {
    const { certificateFile, keyFile } = testCertificates().client
    const external =
      mechanism === 'EXTERNAL' ? [`tls-config-pairs=Certificate=${certificateFile},PrivateKey=${keyFile}`] : []
    const settings = [
      'v15-compat',
      'nosave',
      `mta=smtp${implicitTls ? 's' : ''}://${user}:${password}@localhost:${port}`,
      `smtp-auth=${mechanism.toLowerCase()}`,
      'smtp-use-starttls',
      'tls-verify=strict',
      `tls-ca-file=${ca()}`,
      ...external,
    ]
    const set = settings.flatMap((setting) => ['-S', setting])
    return run('s-nail', ['-:/', ...set, '-r', ADDRESS, '-s', subject, ADDRESS], {
      input: BODY,
      env: { HOME: '/nonexistent' },
    })
  },
}

const smtplib: Sender = {
  program: 'python3',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  async send({ port, implicitTls, mechanism, user, password, subject }) {
    const program = `
import smtplib, ssl, sys
port, secure, mechanism, user, password, ca, message = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if secure == 'true':
  smtp = smtplib.SMTP_SSL('localhost', int(port), context=context)
else:
  smtp = smtplib.SMTP('localhost', int(port))
  smtp.starttls(context=context)
smtp.ehlo()
smtp.user, smtp.password = user, password
smtp.auth(mechanism, getattr(smtp, 'auth_' + mechanism.lower().replace('-', '_')))
smtp.sendmail('${ADDRESS}', ['${ADDRESS}'], message)
smtp.quit()
`
    const stdout = await python(program, port, String(implicitTls), mechanism, user, password, ca(), message(subject))
    return { code: 0, stdout, stderr: '' }
  },
}

const byNodemailer: Sender = {
  program: 'nodemailer',
  mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  async send({ port, implicitTls, mechanism, user, password, subject }) {
    const transport = nodemailer.createTransport({
      host: '127.0.0.1',
      port,
      secure: implicitTls,
      requireTLS: true,
      tls: { ca: testCertificates().ca.certificate, servername: 'localhost' },
      authMethod: mechanism,
      auth: { user, pass: password },
    })
    const attachments = [{ filename: 'a.bin', content: Buffer.alloc(100_000, 7) }]
    const sent = await transport.sendMail({ from: ADDRESS, to: ADDRESS, subject, text: BODY, attachments })
    return { code: sent.accepted.length === 1 ? 0 : 1, stdout: sent.response, stderr: '' }
  },
}

export const SENDERS: readonly Sender[] = [swaks, msmtp, curl, neomutt, sNail, smtplib, byNodemailer]
