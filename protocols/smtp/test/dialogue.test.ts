// SPDX-License-Identifier: MIT
import { CancellationSource, systemClock } from '@portico/base'
import { createTimerWheel, type LegReader } from '@portico/net'
import { limitsSchema, type Session } from '@portico/session'
import { afterEach, expect, test } from 'vitest'
import { Dialogue } from '../src/dialogue.js'
import { smtpSchema } from '../src/schema.js'

const wheel = createTimerWheel(systemClock)
afterEach(() => wheel.close())

test('a client that sends commands and does not read the replies is not heard until it has read them', async () => {
  let reader: LegReader | undefined
  const leg = {
    paused: false,
    needsDrain: true,
    buffered: 0,
    setReader: (next: LegReader) => {
      reader = next
    },
    pause() {
      leg.paused = true
    },
    resume() {
      leg.paused = false
    },
    setDeadline() {},
  }
  const signal = new CancellationSource()
  const session = { leg, signal, services: { wheel, limits: limitsSchema.parse({}) }, onDrain: undefined }
  const settings = smtpSchema.parse({})
  const connector = settings.connectors.get('inbound')
  if (connector === undefined) throw new Error('no connector')
  const dialogue = new Dialogue(session as unknown as Session, settings, connector)
  const line = dialogue.readLine(512)
  await Promise.resolve()
  expect(leg.paused).toBe(true)
  leg.needsDrain = false
  reader?.onDrain()
  await Promise.resolve()
  await Promise.resolve()
  expect(leg.paused).toBe(false)
  signal.abort('closed')
  expect(await line).toEqual({ kind: 'cancelled' })
})
