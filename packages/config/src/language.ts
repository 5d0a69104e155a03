// SPDX-License-Identifier: MIT
// The one file that knows zod: every schema fragment is written with the names exported here.
import { type Address, type Networks, networksOf, parseAddress, Secret } from '@portico/base'
import { z } from 'zod'

export { z } from 'zod'

/** A fragment of the configuration: what a package or protocol wants to be told. */
export type Schema<T = unknown> = z.ZodType<T>
/** The value that a fragment yields. */
export type Settings<S extends z.ZodType> = z.output<S>

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** What a duration and a size look like, as the patterns that JSON Schema shows. */
export const DURATION_PATTERN = '^\\d+(ms|s|m|h|d)$'
export const SIZE_PATTERN = '^\\d+(B|KiB|MiB|GiB)$'

/** Numbers stay exact up to here, with room for sums. */
const LARGEST = 2 ** 50

/** `30s`, `5m`, `250ms` … as milliseconds. */
export const duration = () =>
  z
    .string()
    .regex(new RegExp(DURATION_PATTERN), 'expected a duration such as 30s, 5m or 1h')
    .refine((text) => !(read(text, UNITS) > LARGEST), 'expected a duration that ends')
    .transform((text) => read(text, UNITS))

/** `512B`, `64KiB`, `35MiB` … as octets. */
export const size = () =>
  z
    .string()
    .regex(new RegExp(SIZE_PATTERN), 'expected a size such as 64KiB or 35MiB')
    .refine((text) => !(read(text, SIZES) > LARGEST), 'expected a size that memory or disks can have')
    .transform((text) => read(text, SIZES))

function read(text: string, units: Readonly<Record<string, number>>): number {
  const [, amount, unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? []
  return Number(amount) * (units[unit] ?? Number.NaN)
}

/** Milliseconds as a duration is written: `1800000` is `30m`. */
export const formatDuration = (ms: number): string => write(ms, UNITS, 'ms')

/** Octets as a size is written: `8192` is `8KiB`. */
export const formatSize = (octets: number): string => write(octets, SIZES, 'B')

function write(amount: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount > 0 && amount % factor === 0)
  const [unit, factor] = fitting.at(-1) ?? [smallest, 1]
  return `${amount / factor}${unit}`
}

/** `host:port`, `[v6]:port` or `unix:/path`. */
export const address = () =>
  z.string().transform((text, context): Address => {
    const parsed = parseAddress(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: 'expected host:port, [v6]:port or unix:/path' })
    return z.NEVER
  })

/** A list of CIDR blocks. */
export const networks = () =>
  z.array(z.string()).transform((cidrs, context): Networks => {
    try {
      return networksOf(cidrs)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

/**
 * `{ file: … }` or `{ env: … }`. The loader replaces these by the secret's text before the schema sees them, so that only the
 * loader touches files and environment; embedders may pass a {@link Secret} directly.
 */
export const secret = () =>
  z.custom<Secret<string>>((value) => value instanceof Secret, 'expected { file: … } or { env: … }')

/** A text that lies in a file (a certificate), or is given in place by an embedder. Read when the front end is assembled. */
export type TextSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string }

/** A file's path, or `{ text: … }`. */
export const textSource = () =>
  z.union([
    z.string().transform((path): TextSource => ({ kind: 'file', path })),
    z
      .strictObject({ text: z.string().describe('The text itself, for embedders.') })
      .transform(({ text }): TextSource => ({ kind: 'text', text })),
  ])
