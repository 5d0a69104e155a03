// SPDX-License-Identifier: MIT
import { isSignedIn } from '../connector/access.js'
import { sizeLimit } from '../connector/permissions.js'
import type { Dialogue } from '../dialogue.js'
import type { LineForm } from '../message/header-fields.js'
import type { MessageSink } from './delivery.js'
import type { Envelope } from './envelope.js'
import { type Judged, type LateJudgement, MessagePump, mostSwallowed } from './message-pump.js'

/** A pump with what a session says of sizes and of the client's presence. */
export function pumpFor(
  dialogue: Dialogue,
  envelope: Envelope,
  sink: MessageSink,
  form: LineForm,
  judge: (section: Buffer) => Judged | LateJudgement,
): MessagePump {
  const { connector } = dialogue
  const maxSize = sizeLimit(connector, isSignedIn(dialogue))
  const binary = envelope.parameters.body === 'BINARYMIME'
  const { maxHeaderSize } = connector
  const limits = { maxSize, maxHeaderSize, mostSwallowed: mostSwallowed(connector.maxSize) }
  return new MessagePump(sink, form, limits, { binary, judge })
}
