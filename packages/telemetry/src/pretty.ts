// SPDX-License-Identifier: MIT

const WIDTH = 5

/** One log line for people: `12:34:56.789 INFO  session ended  user=alice bytes=12`; stacks follow on lines of their own. */
export function prettyLine(
  time: Date,
  level: string,
  message: string,
  facts: Readonly<Record<string, unknown>>,
): string {
  const stacks: string[] = []
  const words = Object.entries(facts).map(([key, value]) => `${key}=${shown(value, stacks)}`)
  const head = `${time.toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(WIDTH)} ${message}`
  return `${[head, ...words].join('  ')}\n${stacks.map((stack) => `    ${oneColumn(stack)}\n`).join('')}`
}

function shown(value: unknown, stacks: string[]): string {
  if (typeof value === 'string')
    return /^[\x21-\x7e]+$/.test(value) && !value.includes('"') ? value : JSON.stringify(value)
  if (isError(value)) {
    stacks.push(value.stack)
    return JSON.stringify(value.message)
  }
  return JSON.stringify(value) ?? String(value)
}

function isError(value: unknown): value is { readonly message: string; readonly stack: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string'
}

function oneColumn(stack: string): string {
  return stack.replaceAll('\n', '\n    ')
}
