// SPDX-License-Identifier: MIT
import { answering, Client, Front, type World } from './harness.js'

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
/** One directory that people sign in to by the page. */
export const OWA = { directories: [{ mount: '/owa', auth: ['forms'] }] }
export const LOGON = '/owa/auth/logon.aspx'

/** A front end with that directory; its backend gives one answer to everything. */
export function formsFront(world: World = {}, heads: string[] = [], answer = OK): Promise<Front> {
  return Front.start(
    answering(heads, () => answer),
    { settings: OWA, ...world },
  )
}

/** One answer, its body as UTF-8. */
export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** A little browser: it keeps cookies, says where it asks from, and follows nothing by itself. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #port: number
  readonly host: string

  constructor(port: number, host = 'mail.example.com') {
    this.#port = port
    this.host = host
  }

  /** Opens a page, as a person does. */
  open(path: string, ...lines: string[]): Promise<Answer> {
    return this.ask(`GET ${path}`, ['Sec-Fetch-Mode: navigate', 'Accept: text/html', ...lines], '')
  }

  /** A script of a page asks. */
  fetch(path: string, ...lines: string[]): Promise<Answer> {
    return this.ask(`GET ${path}`, ['Sec-Fetch-Mode: cors', 'Sec-Fetch-Site: same-origin', ...lines], '')
  }

  /** Sends a form of a page of this origin. */
  submit(path: string, form: Readonly<Record<string, string>>, ...lines: string[]): Promise<Answer> {
    const from = lines.some((line) => /^(?:Origin|Sec-Fetch-Site):/.test(line)) ? [] : [`Origin: http://${this.host}`]
    return this.ask(`POST ${path}`, [...from, ...lines], new URLSearchParams(form).toString())
  }

  async ask(start: string, lines: readonly string[], body: string): Promise<Answer> {
    const client = await this.connect()
    client.send(...this.lines(start, body), 'Connection: close', ...lines, '', body)
    const text = await client.toEnd()
    const end = text.indexOf('\r\n\r\n')
    const head = text.slice(0, end + 2)
    this.#keep(head)
    const octets = Buffer.from(text.slice(end + 4), 'latin1')
    return { status: Number(head.slice(9, 12)), head, body: octets.toString() }
  }

  connect(): Promise<Client> {
    return Client.connect(this.#port)
  }

  /** The head that every request of this browser begins with; without the empty line at its end. */
  lines(start: string, body: string): string[] {
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const own = cookies === '' ? [] : [`Cookie: ${cookies}`]
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const about = body === '' ? [] : [`Content-Length: ${body.length}`, ...(body.includes('=') ? [form] : [])]
    return [`${start} HTTP/1.1`, `Host: ${this.host}`, ...own, ...about]
  }

  /** Fills in the sign-in page and sends it. */
  async signIn(path: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const page = await this.open(path)
    const form = { ...hiddenFields(page.body), username: 'alice', password: 'secret', ...more }
    return this.submit(/action="([^"]*)"/.exec(page.body)?.[1] ?? '', form)
  }

  #keep(head: string): void {
    for (const [, name = '', value = '', attributes = ''] of head.matchAll(/\r\nSet-Cookie: ([^=]+)=([^;]*)(.*)/g)) {
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}

export function hiddenFields(page: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) {
    fields[name] = value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
  }
  return fields
}

/** The value of a field of an answer's head. */
export function fieldOf({ head }: Answer, name: string): string | undefined {
  return new RegExp(`\r\n${name}: (.*)\r\n`, 'i').exec(head)?.[1]
}

export function locationOf(answer: Answer): string | undefined {
  return fieldOf(answer, 'Location')
}
