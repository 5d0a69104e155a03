// SPDX-License-Identifier: MIT
import { z } from '@portico/config'

/** The block `http.outlookAnywhere`: what clients of directories with the preset `rpc` may ask for. */
export const outlookAnywhereSchema = z
  .strictObject({
    ports: z
      .array(z.int().min(1).max(65_535))
      .min(1)
      .default([6001, 6002, 6004])
      .describe(
        'Ports that a client may name behind its server (400 for others): the mailbox store, the referral service and the address book. Nothing is connected to there; the backend comes from the directory.',
      ),
  })
  .prefault({})
  .describe('Outlook Anywhere: see [outlook.md](outlook.md).')
