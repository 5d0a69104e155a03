// SPDX-License-Identifier: MIT
// Questions of Autodiscover: whatever they hold gets an answer, and what is taken out of one can stand in a log and in markup.
import { must } from '../engine.mjs'

const WORDS = [
  '<',
  '>',
  '</',
  '/>',
  '&',
  ';',
  '&amp;',
  '&#x3c;',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<!DOCTYPE a [<!ENTITY e "x">]>',
  '&e;',
  'xmlns=',
  'xmlns:a=',
  '"',
  'a:',
  'Request',
  'EMailAddress',
  'LegacyDN',
  'kim@example.com',
]

const POX =
  '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>kim@example.com</EMailAddress></Request></Autodiscover>'
const SOAP =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover"><s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>kim@example.com</a:Mailbox></a:User></a:Users><a:RequestedSettings><a:Setting>UserDisplayName</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>'

export async function autodiscoverTargets(load) {
  const { readXml } = await load('protocols/http', 'autodiscover/xml')
  const { readPoxRequest } = await load('protocols/http', 'autodiscover/pox-request')
  const { readSoapRequest } = await load('protocols/http', 'autodiscover/soap-request')
  const { document, element } = await load('protocols/http', 'autodiscover/markup')

  return [
    {
      name: 'autodiscover-question',
      words: WORDS,
      examples: [POX, SOAP],
      async run(bytes) {
        return { pox: readPoxRequest(bytes), soap: readSoapRequest(bytes) }
      },
      check({ pox, soap }) {
        must(['asked', 'bad'].includes(pox.kind) && ['asked', 'bad'].includes(soap.kind), 'no answer')
        const address = pox.kind === 'asked' ? (pox.name.address ?? '') : ''
        must(!/[\s<>"&\0-\x1f\x7f]/.test(address), 'an address that is none')
        for (const text of soap.kind === 'asked' ? [...soap.subjects, ...soap.settings] : []) {
          const written = document(element('a', text))
          must(readXml(Buffer.from(written))?.text === text.trim(), 'what is written is not what is read')
        }
      },
    },
  ]
}
