// SPDX-License-Identifier: MIT
import type { ClientKind, RouteClient } from '@portico/routing'
import type { Session } from '@portico/session'
import { isClientEncrypted } from '../client/client-facts.js'
import type { Incoming } from '../client/incoming.js'
import type { PresetName } from '../directory/presets.js'
import type { Directory } from '../directory/schema.js'
import { isNavigation } from '../forms/requests.js'

/** Directories whose clients know how to go on at another site. */
const KINDS: Partial<Record<PresetName, ClientKind>> = {
  owa: 'web-mail',
  ecp: 'web-mail',
  public: 'web-mail',
  activesync: 'activesync',
  autodiscover: 'autodiscover',
}

/**
 * Who asks, as the decision between sites wants to know it. In the directories of web mail only a person with a window is sent
 * anywhere: a script of a page would run into another origin, and programs have no eyes for a page with a link.
 */
export function askingClient(session: Session, { preset }: Directory, request: Incoming): RouteClient {
  const { fields } = request.head
  const encrypted = isClientEncrypted(session, fields)
  const kind = preset === undefined ? undefined : KINDS[preset]
  const field = (name: string) => fields.named(name)
  if (kind === undefined || (kind === 'web-mail' && !isNavigation({ request, field, encrypted }))) return { encrypted }
  return { kind, encrypted }
}
