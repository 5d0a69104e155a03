// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clamd, freePorts, privateFolder, startClamd } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scenario } from '../lib/scenario.js'
import { type Site, startSite } from './site.js'

const needs = { programs: ['dovecot', 'postfix', 'clamd', 'swaks'], root: true }

scenario('ClamAV at the door', needs, () => {
  let clamd: Clamd
  let site: Site<'strict' | 'easy' | 'second' | 'small' | 'kept'>
  const folder = privateFolder('att')
  const attachment = join(folder, 'invoice.bin')

  beforeAll(async () => {
    clamd = await startClamd({ streamMaxLength: 2_000_000 })
    writeFileSync(attachment, Buffer.concat([Buffer.from([0, 1, 2]), Buffer.from(clamd.pattern), Buffer.alloc(300)]))
    const [dead = 0] = await freePorts(1)
    const agent = (more: object) => ({
      type: 'clamav',
      endpoints: [`127.0.0.1:${clamd.port}`],
      deadline: '3s',
      ...more,
    })
    site = await startSite({
      strict: { agents: [agent({})] },
      easy: { agents: [agent({ whenAway: 'pass', tooBig: 'pass' })] },
      second: { agents: [agent({ endpoints: [`127.0.0.1:${dead}`, `unix:${clamd.path}`] })] },
      small: { agents: [agent({ maxSize: '4KiB' })] },
      kept: { agents: [agent({ action: { quarantine: 'guard@test.lan' } })] },
    })
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
    await clamd?.stop()
  })

  test('a virus in an attachment is refused by its name, and the mailbox server never saw the message', async () => {
    const before = site.postfix.log().length
    const done = await site.send('strict', 'virus', '--attach', `@${attachment}`)
    expect(done.stdout).toContain(`554 5.7.1 Message contains ${clamd.signature}`)
    expect(site.postfix.log().slice(before)).not.toMatch(/cleanup/)
    expect(await site.isNowhere('virus')).toBe(true)
  })

  test('other mail arrives, through memory and through a file', async () => {
    expect((await site.send('strict', 'clean')).code).toBe(0)
    expect(await site.arrived('clean')).toContain('This is a test mailing')
    const large = join(folder, 'large.bin')
    writeFileSync(large, Buffer.alloc(1_000_000, 'x'))
    expect((await site.send('strict', 'larger', '--attach', `@${large}`)).code).toBe(0)
    expect((await site.arrived('larger')).length).toBeGreaterThan(1_300_000)
  })

  test('the next endpoint is asked where one is not there', async () => {
    const done = await site.send('second', 'second', '--attach', `@${attachment}`)
    expect(done.stdout).toContain(`554 5.7.1 Message contains ${clamd.signature}`)
    expect((await site.send('second', 'second clean')).code).toBe(0)
  })

  test('quarantine: the message lies in that mailbox alone, and says whose it is', async () => {
    expect((await site.send('kept', 'kept', '--attach', `@${attachment}`)).code).toBe(0)
    const text = await site.arrived('kept', 'guard')
    expect(text).toMatch(/^X-Portico-Quarantine: clamav; Portico\.Test\.UNOFFICIAL$/m)
    expect(text).toMatch(/^X-Portico-Recipients?: .*alice@test\.lan/m)
  })

  test('what is too large for it is refused, or goes on, as the site says', async () => {
    const large = join(folder, 'too-large.bin')
    writeFileSync(large, Buffer.alloc(2_500_000, 'x'))
    const refused = await site.send('strict', 'too large', '--attach', `@${large}`)
    expect(refused.stdout).toContain('552 5.3.4 Message too big to be scanned')
    expect((await site.send('small', 'too large', '--body', 'x'.repeat(5_000))).stdout).toContain('552 5.3.4')
    expect((await site.send('easy', 'let through', '--attach', `@${large}`)).code).toBe(0)
    expect(await site.portico.logged(/too big for ClamAV/)).toContain('"level":"warn"')
    await site.arrived('let through')
  })

  test('while it hangs, and when it is gone, mail waits at its sender, or goes on unseen where the site wants that', async () => {
    process.kill(clamd.pid, 'SIGSTOP')
    try {
      expect((await site.send('strict', 'hangs')).stdout).toMatch(/451 4\.3\.0/)
      expect((await site.send('easy', 'unseen', '--attach', `@${attachment}`)).code).toBe(0)
    } finally {
      process.kill(clamd.pid, 'SIGCONT')
    }
    expect((await site.send('strict', 'again')).code).toBe(0)
    await clamd.stop()
    expect((await site.send('strict', 'gone')).stdout).toMatch(/451 4\.3\.0/)
    expect((await site.send('easy', 'unseen too', '--attach', `@${attachment}`)).code).toBe(0)
    await site.arrived('unseen too')
    expect(await site.isNowhere('hangs')).toBe(true)
    expect(await site.isNowhere('gone')).toBe(true)
  })
})
