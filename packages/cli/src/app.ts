// SPDX-License-Identifier: MIT
// The one file that knows the command line library.
import { buildApplication, buildCommand, buildRouteMap, numberParser, run } from '@stricli/core'
import { check, docsText, explainFile, metrics, reload, schemaText, versionText } from './commands.js'
import { dns } from './dns.js'
import { type RulesTest, testRules } from './rules.js'
import { serve } from './serve.js'

const config = { kind: 'parsed', parse: String, brief: 'Configuration file' } as const

/** A command that prints its answer, if it has one; what goes wrong is one message and exit code 1. */
async function answering(answer: () => string | Promise<string>): Promise<void> {
  try {
    const text = await answer()
    // Whoever started a server may have stopped listening to it: even nothing, written there, would end it with an error.
    if (text !== '') process.stdout.write(text)
  } catch (error) {
    process.stderr.write(`portico: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

function workersParser(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  const workers = numberParser(text)
  if (!Number.isInteger(workers) || workers < 0 || workers > 1024) throw new RangeError('expected auto or a number')
  return workers
}

const serveCommand = buildCommand<{
  readonly config: string
  readonly workers: number | 'auto'
  readonly protocol?: readonly string[]
}>({
  docs: { brief: 'Run the front end: a supervisor and its workers' },
  parameters: {
    flags: {
      config,
      workers: {
        kind: 'parsed',
        parse: workersParser,
        default: 'auto',
        brief: 'Worker processes; 0 for one process alone',
      },
      protocol: { kind: 'parsed', parse: String, variadic: true, optional: true, brief: 'Host only this protocol' },
    },
    aliases: { c: 'config', w: 'workers', p: 'protocol' },
  },
  func: ({ config, workers, protocol = [] }) =>
    answering(async () => {
      await serve({ config, workers, protocols: protocol })
      return ''
    }),
})

const checkCommand = buildCommand<{ readonly config: string }>({
  docs: { brief: 'Say what is wrong with a configuration file' },
  parameters: { flags: { config }, aliases: { c: 'config' } },
  func: ({ config }) => answering(() => check(config)),
})

const dnsCommand = buildCommand<{ readonly config: string; readonly domain?: readonly string[] }>({
  docs: { brief: 'Print the DNS records by which mail programs find the servers' },
  parameters: {
    flags: {
      config,
      domain: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        brief: 'Mail domain; those of publish.domains when absent',
      },
    },
    aliases: { c: 'config', d: 'domain' },
  },
  func: ({ config, domain = [] }) => answering(() => dns(config, domain)),
})

const explainCommand = buildCommand<{ readonly config: string }>({
  docs: { brief: 'Show every setting that holds and where it comes from' },
  parameters: { flags: { config }, aliases: { c: 'config' } },
  func: ({ config }) => answering(() => explainFile(config)),
})

const reloadCommand = buildCommand<{
  readonly config?: string
  readonly control?: string
  readonly pid?: number
}>({
  docs: { brief: 'Make a running front end read its configuration again' },
  parameters: {
    flags: {
      config: { ...config, optional: true },
      control: { kind: 'parsed', parse: String, optional: true, brief: 'Its control socket' },
      pid: { kind: 'parsed', parse: numberParser, optional: true, brief: 'Its process, told by a signal' },
    },
    aliases: { c: 'config' },
  },
  func: (flags) => answering(() => reload(flags)),
})

const metricsCommand = buildCommand<{ readonly config?: string; readonly control?: string }>({
  docs: { brief: 'Print what a running front end has counted, as Prometheus reads it' },
  parameters: {
    flags: {
      config: { ...config, optional: true },
      control: { kind: 'parsed', parse: String, optional: true, brief: 'Its control socket' },
    },
    aliases: { c: 'config' },
  },
  func: (flags) => answering(() => metrics(flags)),
})

const text = (brief: string) => ({ kind: 'parsed', parse: String, brief }) as const
const optional = (brief: string) => ({ ...text(brief), optional: true }) as const

const rulesTestCommand = buildCommand<RulesTest, [string]>({
  docs: { brief: 'Say which mail-flow rules fire for a message, and why' },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ ...text('The message; - for standard input'), placeholder: 'FILE' }],
    },
    flags: {
      config,
      from: text('Address of the sender; <> for nobody'),
      to: { ...text('Address of a recipient'), variadic: true },
      client: optional('IP address of the client; that of a stranger when absent'),
      user: optional('Who has signed in'),
      scl: { kind: 'parsed', parse: numberParser, optional: true, brief: 'Spam confidence level found before' },
      type: { ...optional('Kind of message found before, such as fax'), variadic: true },
      json: { kind: 'boolean', optional: true, brief: 'As JSON' },
    },
    aliases: { c: 'config' },
  },
  func: (flags, file) =>
    answering(async () => {
      const { text, code } = await testRules(file, flags)
      process.exitCode = code
      return text
    }),
})

const plain = (brief: string, answer: () => string) =>
  buildCommand({ docs: { brief }, parameters: {}, func: () => answering(answer) })

const routes = buildRouteMap({
  docs: { brief: 'One door for IMAP4, POP3, SMTP and HTTP' },
  routes: {
    serve: serveCommand,
    check: checkCommand,
    dns: dnsCommand,
    reload: reloadCommand,
    metrics: metricsCommand,
    config: buildRouteMap({
      docs: { brief: 'About the configuration' },
      routes: {
        explain: explainCommand,
        schema: plain('JSON Schema of the configuration', schemaText),
        docs: plain('Reference page of the configuration', docsText),
      },
    }),
    rules: buildRouteMap({
      docs: { brief: 'About mail-flow rules' },
      routes: { test: rulesTestCommand },
    }),
    version: plain('Print the version', versionText),
  },
})

/** Runs one command line (without program names). Sets the exit code. */
export async function runPortico(args: readonly string[]): Promise<void> {
  const { stdout, stderr, env } = process
  // Whoever reads the answer may have seen enough of it, as `head` has.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  await run(buildApplication(routes, { name: 'portico' }), args, {
    process: {
      stdout,
      stderr,
      env,
      get exitCode() {
        return process.exitCode ?? null
      },
      set exitCode(code) {
        // Set already when a command failed with a message of its own.
        if (code !== null && code !== 0) process.exitCode = code
      },
    },
  })
}
