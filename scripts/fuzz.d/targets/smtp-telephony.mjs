// SPDX-License-Identifier: MIT
import { must, plain } from '../engine.mjs'

const HEADER = [
  ...[
    'Content-Class',
    'Content-Type',
    'Message-Context',
    'MIME-Version',
    'X-Fax',
    'X-VoiceMessageDuration',
    'X-CallID',
  ],
  ...[':', ' :', ': ', '\r\n', '\r\n ', '\r\n\t', '\r\n\r\n', '(', ')', '"', ';', '\xff', '\x01'],
  ...['voice', 'fax', 'voice-message', '(Voice 2.0)', 'multipart/mixed', 'boundary=b', '--b', '--b--', 'image/tiff'],
]

/** What says that a message tells of a call, and which telephone an address means. */
export async function smtpTelephonyTargets(load) {
  const { formatPhoneAddress, parsePhoneAddress, serviceNamedBy } = await load(
    'protocols/smtp',
    'telephony/phone-address',
  )
  const { claimsCall, disbelieved } = await load('protocols/smtp', 'telephony/claims')
  const { classify } = await load('protocols/smtp', 'telephony/classify')
  const { firstParts } = await load('protocols/smtp', 'telephony/first-parts')
  const { editHeader, parseHeader } = await load('protocols/smtp', 'message/header-fields')

  return [
    {
      name: 'smtp-telephone',
      words: ['FAX', 'voice', '=', '+', '/', '1', '00', '-', '.', 'T33S=', ' ', '"', '\0', '\xff', ';', '#', '*'],
      examples: ['FAX=+12027653000/T33S=1387', '/FAX=+33-1-88335215/', 'VOICE=+39.40.226338'],
      run: async (bytes) => {
        const local = bytes.toString('latin1')
        return { address: parsePhoneAddress(local), named: serviceNamedBy(local) }
      },
      check({ address, named }) {
        if (address === undefined) return
        must(named === address.service, 'a telephone is not named as one')
        const short = formatPhoneAddress(address)
        must(/^[A-Za-z0-9=+/*#._-]+$/.test(short), 'a gateway gets more than it should')
        must(plain(parsePhoneAddress(short)) === plain(address), 'its shortest form means something else')
      },
    },
    {
      name: 'smtp-call-claims',
      words: HEADER,
      examples: [
        'Content-Class: fax\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\n',
      ],
      async run(bytes) {
        const fields = parseHeader(bytes, 'plain')
        const parts = (await firstParts({ start: async (limit) => bytes.subarray(0, limit) })).length
        const edits = disbelieved(fields)
        const pieces = editHeader(bytes, fields, edits === undefined ? [] : [edits], 'plain')
        const left = parseHeader(Buffer.concat(pieces), 'plain')
        const judged = classify({ partner: undefined, fields, recipients: [], parts: undefined })
        return { kind: judged.kind, parts, left: left.faulty ? 0 : left.list.filter(claimsCall).length }
      },
      check({ parts, left }) {
        must(parts <= 8, 'more parts than are looked for')
        must(left === 0, 'a claim of a stranger is left')
      },
    },
  ]
}
