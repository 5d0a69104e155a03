// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

/** The block `http.activeSync`: what devices may do, in directories with the preset `activesync`. */
export const activeSyncSchema = z
  .strictObject({
    requestsAtOnce: z
      .int()
      .min(1)
      .default(8)
      .describe(
        'Requests of one device of one user that are served at a time in one process (503 above it). A new one takes the place of its oldest Ping, or of a Sync older than a minute: a device that has changed networks cannot say that it left.',
      ),
    userRequestsAtOnce: z
      .int()
      .min(1)
      .default(60)
      .describe('The same for all devices of one user together; nothing is replaced.'),
    requestsPerMinute: z
      .int()
      .min(1)
      .default(240)
      .describe(
        "Requests of one device of one user, on the average; a minute's worth may come at once (503 above it).",
      ),
    passwordUrl: z
      .url({ protocol: /^https$/, error: 'expected https://host/path' })
      .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII')
      .optional()
      .describe(
        'Where users change an expired password: devices are told (457). Without it they ask for the password (401).',
      ),
  })
  .prefault({})
  .describe('ActiveSync: see [http.md](http.md#activesync).')

export type ActiveSyncSettings = Settings<typeof activeSyncSchema>
