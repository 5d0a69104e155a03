// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'

/** The limits that all protocols share. Each has a default and a reason. */
export const limitsSchema = z
  .strictObject({
    preAuth: duration().default(60_000).describe('A connection that has not signed in after this long is closed.'),
    handshake: duration()
      .default(10_000)
      .describe('Time for a TLS handshake, and as much for a PROXY header before it.'),
    connect: duration().default(5_000).describe('Time to connect to one backend, with TLS and greeting.'),
    backendLogin: duration().default(20_000).describe('Time for the login at one backend.'),
    openBackend: duration().default(30_000).describe('Time for all candidates together while the client waits.'),
    idle: duration()
      .default(31 * 60_000)
      .describe(
        'A relayed session without an octet in either direction is closed. IMAP4 asks for 30m at least (RFC 9051 section 5.4), POP3 for 10m (RFC 1939 section 3).',
      ),
    halfClosed: duration()
      .refine(
        (ms) => ms >= 1_000,
        'expected at least 1s: the answers to what a client sent before it finished take time',
      )
      .default(60_000)
      .describe('How long one side may stay silent after the other has finished; 1s or more.'),
    linger: duration().default(2_000).describe('How long a last reply may take to reach the client.'),
    drain: duration()
      .default(60_000)
      .describe(
        'How long live sessions may go on when the node leaves or their listener is gone; what is left is then closed.',
      ),
    line: size().default(8_192).describe('Longest command line before sign-in.'),
    authLine: size().default(16_384).describe('Longest SASL response line; tokens are long (RFC 4954 section 4).'),
    failures: z.int().min(1).default(3).describe('Failed sign-ins before the connection is closed.'),
    badCommands: z.int().min(1).default(10).describe('Syntax errors before the connection is closed.'),
    connections: z.int().min(1).default(10_000).describe('Connections that one listener holds in one process.'),
    connectionsPerAddress: z
      .int()
      .min(1)
      .default(200)
      .describe('Connections of one client address (IPv6: of one /64).'),
    datagramsPerAddress: z
      .int()
      .min(1)
      .default(200)
      .describe(
        'Datagrams of one client address (IPv6: of one /64) that one process takes in a second; what is beyond is dropped unread.',
      ),
  })
  .prefault({})

export type Limits = Settings<typeof limitsSchema>
