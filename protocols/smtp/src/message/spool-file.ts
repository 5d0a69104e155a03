// SPDX-License-Identifier: MIT
import { mkdtemp, open, rm, rmdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Octets } from '@portico/net'

/** Where a message is kept that is too big for memory. Every method may reject with what the file system says. */
export interface SpoolFile {
  /** Writes all octets at a position. */
  write(octets: Octets, position: number): Promise<void>
  /** Fills `into` from a position as far as the file goes, and says how much it was. */
  read(into: Buffer, position: number): Promise<number>
  /** Closes the file; nothing of it stays. */
  close(): Promise<void>
}

/**
 * Opens a file that nobody else can read and that has no name any more, so that nothing stays behind however the process ends. Where
 * the system keeps the name of an open file, it goes when the file is closed. `takeName`: what takes a file's name away.
 */
export async function openSpoolFile(
  parent: string = tmpdir(),
  takeName: (path: string) => Promise<void> = unlink,
): Promise<SpoolFile> {
  const directory = await mkdtemp(join(parent, 'portico-'))
  const path = join(directory, 'message')
  try {
    const handle = await open(path, 'wx+', 0o600)
    const nameless = await takeName(path)
      .then(() => rmdir(directory))
      .then(
        () => true,
        () => false,
      )
    return {
      async write(octets, position) {
        for (let at = 0; at < octets.length; )
          at += (await handle.write(octets, at, octets.length - at, position + at)).bytesWritten
      },
      async read(into, position) {
        let at = 0
        for (let read = -1; at < into.length && read !== 0; at += read)
          read = (await handle.read(into, at, into.length - at, position + at)).bytesRead
        return at
      },
      async close() {
        await handle.close()
        if (!nameless) await rm(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}
