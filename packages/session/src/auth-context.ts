// SPDX-License-Identifier: MIT
import type { AuthContext } from '@portico/auth'
import type { Session } from './session.js'

const NO_BINDING = (): undefined => undefined

/** What the auth core is told of a session's client leg at this moment. */
export function authContextOf(session: Session, failures: number): AuthContext {
  const { leg, listener, services } = session
  const { tls, facts } = leg
  return {
    client: {
      protocol: session.protocol,
      sessionId: session.id,
      peer: facts.peer,
      local: facts.local,
      networks: session.networks,
      encrypted: tls !== undefined,
      ...(tls === undefined ? {} : { tlsVersion: tls.version, tlsCipher: tls.cipher }),
      ...(tls?.certificateAsked === true ? { certificateAsked: true } : {}),
      ...(tls?.clientCertificate === undefined ? {} : { certificate: tls.clientCertificate }),
    },
    channel: {
      encrypted: tls !== undefined,
      channelBinding: tls === undefined ? NO_BINDING : (type) => tls.channelBinding(type),
    },
    localName: services.hostname,
    plaintextPasswords: listener.plaintextPasswords,
    failures,
  }
}

/** Holds an answer back, as the throttle asked. Ends early when the session does. */
export function holdBack(session: Session, ms: number): Promise<void> {
  if (ms <= 0 || session.signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = session.services.clock.after(ms, () => {
      session.signal.onAbort = undefined
      resolve()
    })
    session.signal.onAbort = () => {
      timer.cancel()
      resolve()
    }
  })
}
