// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'
import { SIGN_OUT_PATTERN } from '../forms/application-sign-out.js'
import { ANCHOR_KINDS } from '../routing/anchors.js'
import { PLAIN, PRESET_NAMES, PRESETS, type Preset, SCHEMES, type Scheme, WELL_KNOWN } from './presets.js'
import { normalisePath } from './target.js'

/** The component of directories without one: that of the protocol as a whole. */
const COMPONENT = 'http'

/** Escapes and parameters have more than one spelling: where a site writes a path, it has none of them. */
const path = () =>
  z
    .string()
    .refine(
      (text) => normalisePath(text) === text && !/[%;]/.test(text),
      'expected a plain absolute path such as /dav, without escapes',
    )

const fieldName = () => z.string().regex(/^[A-Za-z0-9-]+$/, 'expected a header field name')

/** Once each. */
const each = <T extends z.ZodType>(item: T) =>
  z.array(item).refine((list) => new Set(list).size === list.length, 'expected each only once')

const schemes = () => each(z.enum(SCHEMES)).min(1)

const keys = z.strictObject({
  preset: z
    .enum(PRESET_NAMES)
    .optional()
    .describe('The kind of directory: what it fills in, where the other keys say nothing, stands in http.md.'),
  mount: path()
    .optional()
    .describe(
      'Path prefix that clients use; matched in any case, on segment boundaries, longest first. By preset when absent.',
    ),
  backendPath: path()
    .optional()
    .describe(
      'What the mount is replaced by towards the backend; with a preset the mount itself when absent, else `/`. Contents are not rewritten: what writes its own path into them has to be told by `prefixField`, or to have the same.',
    ),
  group: z
    .string()
    .optional()
    .describe('Every user of this directory goes to this backend group; by location when absent.'),
  auth: schemes()
    .optional()
    .describe(
      'How clients may sign in, in the order of offering. By preset when absent, as far as something serves it, else `basic`.',
    ),
  authFor: z
    .array(
      z.strictObject({
        networks: z.array(z.string()).min(1).describe('Names of the networks; one of them is enough.'),
        auth: schemes().describe('How clients there may sign in.'),
      }),
    )
    .default([])
    .describe('Instead of `auth` for clients of some networks; the first entry that holds the client counts.'),
  preAuth: each(path())
    .default([])
    .describe(
      'Exact paths below the mount that the backend is asked for without a sign-in. They tell it no user, and need `group`.',
    ),
  signOut: each(z.string().regex(SIGN_OUT_PATTERN, 'expected a path such as /so/*/logoff or /?task=logout'))
    .default([])
    .describe(
      "The application's own sign-outs below the mount, which end a sign-in by our page too: paths, `*` for one segment, with one parameter of the query where that tells.",
    ),
  wellKnown: each(z.enum(WELL_KNOWN))
    .optional()
    .describe('`/.well-known/` names that lead here (307), the first directory of each. By preset when absent.'),
  anchors: each(z.enum(ANCHOR_KINDS))
    .optional()
    .describe(
      'Where requests may name another mailbox, whose server they then go to if their user may act for it. By preset when absent; see [http.md](http.md#routing).',
    ),
  component: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'expected a name such as owa: lower-case letters, digits and hyphens')
    .optional()
    .describe(`Component whose state this directory has. The preset's name when absent, else \`${COMPONENT}\`.`),
  realm: z
    .string()
    .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'expected printable ASCII without quotes and backslashes')
    .optional()
    .describe('Protection space that clients show (RFC 9110 section 11.5).'),
  host: z
    .enum(['pass', 'backend'])
    .default('pass')
    .describe(
      "Host field towards the backend, and host of a Destination: the client's, or the backend's own name. The latter for Apache's WebDAV behind a door with TLS, for it compares schemes.",
    ),
  prefixField: fieldName()
    .optional()
    .describe(
      'Header field that tells the backend the mount, for instance X-Script-Name for Radicale. Such a backend writes addresses as clients see them, so Location and Destination are not mapped.',
    ),
  originField: fieldName()
    .optional()
    .describe(
      'Header field that tells the backend the scheme and host that clients use, as `https://mail.example.org`, for instance x-webobjects-server-url for SOGo.',
    ),
  encodedSlash: z
    .enum(['pass', 'refuse'])
    .default('refuse')
    .describe('Whether `%2F` in a path goes to the backend as it is, or is refused (400).'),
  upgrades: each(
    z
      .string()
      .regex(/^[a-z0-9!#$%&'*+.^_`|~/-]+$/, 'expected a protocol such as websocket, in lower case')
      .refine((name) => !/^(?:h2c?|http|tls)(?:\/|$)/.test(name), 'HTTP and TLS are no protocols to change to'),
  )
    .default([])
    .describe(
      'Protocols that a client may change its connection to, such as `websocket` (RFC 9110 section 7.8). What follows passes as it is, until neither side says anything for `responseTimeout`.',
    ),
  requestTimeout: duration()
    .optional()
    .describe('A request as a whole may take so long at its backend; any time, while it moves, when absent.'),
  responseTimeout: duration()
    .optional()
    .describe(
      'A request without an octet from or to the backend for so long ends; above the longest poll. By preset when absent, else 10m.',
    ),
  bodyTimeout: duration()
    .optional()
    .describe('A request body may stand still so long. By preset when absent, else `http.bodyTimeout`.'),
  uploadRate: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Least octets of a request body in a second, on the average of each `bodyTimeout`, as long as the backend takes them (408 below it); 0 for any. By preset when absent, else 100.',
    ),
  maxBody: size().optional().describe('Largest request body (413 above it). By preset when absent, else 100MiB.'),
})

/** One virtual directory: a path prefix with its own rules. */
export const directorySchema = keys.transform((written, context) => {
  const preset = written.preset === undefined ? undefined : PRESETS[written.preset]
  const mount = written.mount ?? preset?.mount
  if (mount === undefined) {
    context.addIssue({ code: 'custom', message: 'expected a mount, or a preset that has one', path: ['mount'] })
    return z.NEVER
  }
  const { wellKnown, anchors, responseTimeout, bodyTimeout, uploadRate, maxBody }: Omit<Preset, 'mount'> =
    preset ?? PLAIN
  return {
    ...written,
    mount,
    backendPath: written.backendPath ?? (preset === undefined ? '/' : mount),
    wellKnown: written.wellKnown ?? wellKnown,
    anchors: written.anchors ?? anchors,
    component: written.component ?? written.preset ?? COMPONENT,
    responseTimeout: written.responseTimeout ?? responseTimeout,
    bodyTimeout: written.bodyTimeout ?? bodyTimeout,
    uploadRate: written.uploadRate ?? uploadRate,
    maxBody: written.maxBody ?? maxBody,
  }
})

/** A directory with what its preset says. Only `auth` stands as it is written: see {@link schemesOf}. */
export type Directory = Settings<typeof directorySchema>

/**
 * How clients of these networks may sign in here, in the order of offering. What a site names itself is known to be served; of what
 * a preset names, not all may be.
 */
export function schemesOf({ auth, authFor, preset }: Directory, networks: readonly string[]): readonly Scheme[] {
  const own = authFor.find((entry) => entry.networks.some((name) => networks.includes(name)))
  return own?.auth ?? auth ?? (preset === undefined ? PLAIN : PRESETS[preset]).auth
}
