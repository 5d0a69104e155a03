// SPDX-License-Identifier: MIT
import { testCertificates } from '@portico/testkit'
import { type RunOptions, run } from './clients.js'

/** What curl got: the last response. */
export interface Fetched {
  readonly status: number
  /** Lower-case field lines of the last head, in their order. */
  readonly fields: readonly string[]
  /** A field's value; undefined when it is not there. */
  field(name: string): string | undefined
  /** Latin-1, so that octets stay what they are. */
  readonly body: string
  /** `1.1` or `2`. */
  readonly version: string
}

/** One transfer by curl, which trusts the authority of the tests. Throws when there is no whole response. */
export async function fetched(url: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Fetched> {
  const ca = ['--cacert', testCertificates().ca.certificateFile]
  // Without a waiting time for 100 (Continue), which some servers never send.
  const done = await run('curl', ['-sS', '-i', '--expect100-timeout', '20', ...ca, ...args, url], options)
  if (done.code !== 0) throw new Error(`curl ended with ${done.code} for ${url}\n${done.stdout}\n${done.stderr}`)
  return lastResponse(done.stdout)
}

function lastResponse(said: string): Fetched {
  let [head, body] = ['', said]
  // Interim responses and those before a redirect come first.
  do {
    const end = body.indexOf('\r\n\r\n')
    head = body.slice(0, end)
    body = body.slice(end + 4)
  } while (/^HTTP\/[\d.]+ 1\d\d/.test(head) || (/^HTTP\/[\d.]+ 3\d\d/.test(head) && body.startsWith('HTTP/')))
  const [first = '', ...lines] = head.split('\r\n')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return `${line.slice(0, colon).toLowerCase()}${line.slice(colon)}`
  })
  const [, version = '', status = ''] = /^HTTP\/(\S+) (\d{3})/.exec(first) ?? []
  return {
    status: Number(status),
    version,
    fields,
    field: (name) =>
      fields
        .find((line) => line.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim(),
    body,
  }
}
