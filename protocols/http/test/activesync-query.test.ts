// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDeviceRequest } from '../src/activesync/query.js'

/** The parts of the base64 form, each with its length where it has one. */
function binary(parts: {
  version?: number
  command?: number
  id?: Buffer
  key?: Buffer
  type?: Buffer
  tags?: readonly (readonly [number, string])[]
}): string {
  const {
    version = 141,
    command = 0,
    id = Buffer.from('dev1'),
    key = Buffer.alloc(0),
    type = Buffer.from('Phone'),
  } = parts
  const counted = (octets: Buffer) => [octets.length, ...octets]
  const tags = (parts.tags ?? []).flatMap(([tag, text]) => [tag, ...counted(Buffer.from(text))])
  const octets = [version, command, 9, 4, ...counted(id), ...counted(key), ...counted(type), ...tags]
  return `?${Buffer.from(octets).toString('base64')}`
}

describe('what a device says in its query ([MS-ASHTTP] section 2.2.1.1.1)', () => {
  test('both forms of one request say the same', () => {
    expect(readDeviceRequest('?jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l')).toEqual({
      command: 'Sync',
      user: undefined,
      deviceId: 'v140Device',
      deviceType: 'SmartPhone',
      protocolVersion: '14.0',
    })
    expect(readDeviceRequest('?Cmd=Sync&User=rmjones&DeviceId=v140Device&DeviceType=SmartPhone')).toEqual({
      command: 'Sync',
      user: 'rmjones',
      deviceId: 'v140Device',
      deviceType: 'SmartPhone',
      protocolVersion: undefined,
    })
  })

  test.each([
    [
      'names in any case, in any order',
      '?deviceid=D1&CMD=Ping&devicetype=T&user=u',
      { command: 'Ping', deviceId: 'D1' },
    ],
    ['an escaped user', '?Cmd=Sync&User=EXAMPLE%5Ckim&DeviceId=D1&DeviceType=T', { user: 'EXAMPLE\\kim' }],
    ['an address', '?Cmd=Sync&User=kim%40example.com&DeviceId=D1', { user: 'kim@example.com', deviceType: undefined }],
    ['a user of an old phone, in latin1', '?Cmd=Sync&User=m%FCller', { user: 'müller', deviceId: undefined }],
    ['parameters of the command', '?Cmd=GetAttachment&AttachmentName=1%3a2&DeviceId=D1', { command: 'GetAttachment' }],
    ['a user in a tag', binary({ tags: [[8, 'kim@example.com']] }), { user: 'kim@example.com' }],
    [
      'other tags',
      binary({
        tags: [
          [0, 'name'],
          [7, '\x03'],
        ],
      }),
      { user: undefined, deviceId: 'dev1' },
    ],
    ['a policy key', binary({ key: Buffer.from([1, 2, 3, 4]), command: 18 }), { command: 'Ping' }],
    ['a device id of octets', binary({ id: Buffer.from('00ff10aa', 'hex') }), { deviceId: '00ff10aa' }],
    ['a command that is newer than this', binary({ command: 77 }), { command: '#77' }],
    ['version 16.1', binary({ version: 161 }), { protocolVersion: '16.1' }],
    ['escaped base64', binary({ command: 20 }).replaceAll('=', '%3D').replaceAll('/', '%2F'), { command: 'Provision' }],
    ['base64 without its padding', binary({ command: 9 }).replaceAll('=', ''), { command: 'FolderSync' }],
  ])('%s', (_, query, said) => {
    expect(readDeviceRequest(query)).toMatchObject(said)
  })

  test.each([
    ['nothing', ''],
    ['a question mark', '?'],
    ['no command', '?User=kim&DeviceId=D1&DeviceType=T'],
    ['two commands', '?Cmd=Sync&cmd=Ping&DeviceId=D1'],
    ['two commands, one escaped', '?Cmd=Sync&C%6Dd=Ping'],
    ['two users', '?Cmd=Sync&User=kim&User=boss'],
    ['two devices', '?Cmd=Sync&DeviceId=D1&DeviceId=D2'],
    ['a command that is no word', '?Cmd=Sync;User=boss'],
    ['a line end in the user', '?Cmd=Sync&User=kim%0d%0aX'],
    ['half an escape', '?Cmd=Sync&User=kim%4'],
    ['a device id with a comma', '?Cmd=Sync&DeviceId=a,b'],
    ['a device id without end', `?Cmd=Sync&DeviceId=${'x'.repeat(65)}`],
    ['octets that end early', '?jAAJBAp2MTQw'],
    ['a policy key of three octets', binary({ key: Buffer.from([1, 2, 3]) })],
    ['a tag without its value', `${binary({}).replaceAll('=', '')}`.slice(0, -2)],
    [
      'two users in tags',
      binary({
        tags: [
          [8, 'kim'],
          [8, 'boss'],
        ],
      }),
    ],
    ['a control character in a tag', binary({ tags: [[8, 'kim\n']] })],
    ['no base64 and no parameters', '?!!!!'],
  ])('%s is no request of a device', (_, query) => {
    expect(readDeviceRequest(query)).toBeUndefined()
  })

  test('whatever octets come, what is read could stand in a log', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const read = readDeviceRequest(`?${Buffer.from(octets).toString('base64')}`)
        for (const said of [read?.command, read?.deviceId, read?.deviceType, read?.user]) {
          expect(said ?? '').not.toMatch(/[\0-\x1f\x7f]/)
        }
        expect((read?.deviceId ?? '').length).toBeLessThanOrEqual(64)
      }),
    )
  })
})
