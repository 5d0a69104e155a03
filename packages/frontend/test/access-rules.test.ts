// SPDX-License-Identifier: MIT
import { parseConfig } from '@portico/config'
import { checkConfiguration, createFrontEnd } from '@portico/frontend'
import { authContextOf } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { Client, toy } from './toy-protocol.js'

/** Says whether passwords may be shown from here, and goes. */
const oracle: typeof toy = {
  ...toy,
  async serve(session) {
    const refusal = session.services.authenticator.refusePlaintext(authContextOf(session, 0))
    session.leg.writeText(`${refusal ?? 'welcome'}\r\n`)
    return 'logout'
  },
}

const textOf = (rules: string) => `version: 1
networks: { here: [127.0.0.0/8] }
listeners:
  - { protocol: toy, address: "127.0.0.1:0", tls: none, plaintextPasswords: always }
credentials: [{ type: deferred }]
location: [{ type: hash, group: one }]
backends: { one: { toy: { endpoints: ["127.0.0.1:1"] } } }
accessRules:
${rules}`

const AWAY = '  - { name: away, exceptNetworks: [here], action: deny }'
const HERE = '  - { name: here, networks: [here], protocols: [toy], action: deny }'

describe('access rules of a configuration', () => {
  test('hold for connections that come after a reload', async () => {
    const configOf = (rules: string) => parseConfig(textOf(rules), 'a.yaml').value
    await using frontEnd = await createFrontEnd({ config: configOf(AWAY), protocols: [oracle] })
    const port = frontEnd.listeners[0]?.port ?? 0
    expect(await Client.to(port).line()).toBe('welcome')
    await frontEnd.reload(configOf(HERE))
    expect(await Client.to(port).line()).toBe('network-refused')
    await frontEnd.reload(configOf(AWAY))
    expect(await Client.to(port).line()).toBe('welcome')
  })

  test.each([
    [
      'an unknown network',
      `${AWAY}\n  - { name: x, networks: [there], action: deny }`,
      'a.yaml:10:27: accessRules[1].networks[0]: ',
    ],
    [
      'a rule out of reach',
      `  - { name: all, action: deny }\n${HERE}`,
      'a.yaml:10:5: accessRules[1]: expected a rule that something can reach: "all"',
    ],
    [
      'a name twice',
      `${AWAY}\n${HERE.replace('here', 'away')}`,
      'a.yaml:10:13: accessRules[1].name: expected a name that',
    ],
    ['an unknown protocol', HERE.replace('toy', 'pop3'), 'a.yaml:9:49: accessRules[0].protocols[0]: expected'],
  ])('%s is told with its place', async (_label, rules, problem) => {
    const { value, source } = parseConfig(textOf(rules), 'a.yaml')
    const checked = checkConfiguration({ config: value, protocols: [oracle] })
    await expect(checked.catch((error) => Promise.reject(source.locate(error)))).rejects.toThrow(problem)
  })
})
