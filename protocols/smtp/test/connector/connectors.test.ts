// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { may, PERMISSIONS, sizeLimit } from '../../src/connector/permissions.js'
import { type Connector, smtpSchema } from '../../src/schema.js'

function connector(name: string, written: object = {}): Connector {
  const found = smtpSchema.parse({ connectors: { [name]: written } }).connectors.get(name)
  if (found === undefined) throw new Error('no such connector')
  return found
}

describe('what is not written of a connector', () => {
  test.each(['inbound', 'client', 'partner'])('is there by default: %s', (name) => {
    expect(smtpSchema.parse(undefined).connectors.get(name)).toEqual(connector(name))
  })

  test.each(['inbound', 'client', 'partner'])('stays as it is when one key of %s is written', (name) => {
    expect(connector(name, { maxRecipients: 7 })).toEqual({ ...connector(name), maxRecipients: 7 })
  })

  test('one half of the permissions leaves the other half alone', () => {
    const { permissions } = connector('client', { permissions: { authenticated: ['submit'] } })
    expect(permissions).toEqual({ anonymous: [], authenticated: ['submit'] })
  })

  test.each<[string, object, Partial<Connector>]>([
    ['a connector of the site takes mail for its domains alone', {}, { submission: false, domains: [] }],
    ['one for submission is like client', { submission: true }, { permissions: connector('client').permissions }],
    ['domains are in lower case', { domains: ['Example.ORG'] }, { domains: ['example.org'] }],
    ['mechanisms are in upper case', { mechanisms: ['plain'] }, { mechanisms: ['PLAIN'] }],
  ])('%s', (_label, written, expected) => {
    expect(connector('lab', written)).toMatchObject(expected)
  })

  test('mail of a partner is encrypted', () => {
    expect([connector('partner').requireTls, connector('inbound').requireTls]).toEqual([true, false])
  })
})

describe('permissions', () => {
  test.each(['inbound', 'client', 'partner', 'lab'])('strangers may relay nowhere by default: %s', (name) => {
    expect(may(connector(name), false, 'relay')).toBe(false)
  })

  test.each(PERMISSIONS)('%s is asked of the half that is meant', (permission) => {
    const one = connector('lab', { permissions: { anonymous: [permission], authenticated: [] } })
    const other = connector('lab', { permissions: { anonymous: [], authenticated: [permission] } })
    expect([may(one, false, permission), may(one, true, permission)]).toEqual([true, false])
    expect([may(other, false, permission), may(other, true, permission)]).toEqual([false, true])
  })

  test('bypass-size lifts the limit for those who have it', () => {
    const one = connector('lab', { maxSize: '1MiB', permissions: { authenticated: ['bypass-size'] } })
    expect([sizeLimit(one, false), sizeLimit(one, true)]).toEqual([1024 ** 2, Number.POSITIVE_INFINITY])
  })
})
