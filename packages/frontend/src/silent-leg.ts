// SPDX-License-Identifier: MIT
import type { Leg, LegFacts, Released, TlsFacts, UpgradeResult } from '@portico/net'

/** A leg as it looks to a session whose octets somebody else reads and writes: it tells where it comes from, and is closed. */
export class SilentLeg implements Leg {
  readonly id: number
  facts: LegFacts
  readonly tls: TlsFacts | undefined
  readonly bytesRead = 0
  readonly bytesWritten = 0
  readonly state = 'closed'
  readonly paused = true
  readonly reportsEofWhilePaused = true
  readonly buffered = 0
  readonly needsDrain = true
  readonly queued = 0

  constructor({ id, facts, tls }: Leg) {
    this.id = id
    this.facts = facts
    this.tls = tls
  }

  setPeer(peer: LegFacts['peer'], local: LegFacts['local'] = this.facts.local): void {
    this.facts = { peer, local, socketPeer: this.facts.socketPeer }
  }

  write(): boolean {
    return false
  }

  writeView(): boolean {
    return false
  }

  writeText(): boolean {
    return false
  }

  batch(fill: () => void): void {
    fill()
  }

  upgradeServer(): Promise<UpgradeResult> {
    return Promise.resolve({ kind: 'failed', reason: 'closed' })
  }

  upgradeClient(): Promise<UpgradeResult> {
    return Promise.resolve({ kind: 'failed', reason: 'closed' })
  }

  release(): Released {
    throw new Error('this leg was released already')
  }

  setReader(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  close(): void {}
  destroy(): void {}
  setIdle(): void {}
  setDeadline(): void {}
}
