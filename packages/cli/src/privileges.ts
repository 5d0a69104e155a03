// SPDX-License-Identifier: MIT
import type { FrontEndSettings } from '@portico/frontend'

/** Becomes the user that the configuration names, when this process is root: what talks to clients has no need to be. */
export function dropPrivileges({ user }: Pick<FrontEndSettings, 'user'>): void {
  if (user === undefined || process.getuid?.() !== 0) return
  const group = user.group ?? user.name
  process.setgroups?.([group])
  process.setgid?.(group)
  process.setuid?.(user.name)
}
