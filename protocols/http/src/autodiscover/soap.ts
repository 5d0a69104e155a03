// SPDX-License-Identifier: MIT
import type { Reply } from '../replies.js'
import type { Identified } from '../sign-in/sign-in.js'
import type { Asked } from './answer.js'
import { type Content, document, element, elements, type Markup } from './markup.js'
import type { ClientSettings, Told } from './settings.js'
import { readSoapRequest, type SoapRequest } from './soap-request.js'
import { settingElement, settingOf } from './soap-settings.js'
import { envelope, errorElements, fault, nil, type SoapError } from './soap-words.js'
import { addressOf } from './subject.js'
import { tell } from './tell.js'

const PATH = '/autodiscover/autodiscover.svc'
/** Users or domains of one question, as other servers have it. */
const MOST_SUBJECTS = 100
/** Settings of one question, and characters of their names: each comes back for each subject. Clients know less than a hundred. */
const MOST_SETTINGS = 100
const LONGEST_SETTING = 64

/** Answers the SOAP form: each user of a question gets an answer, or an error, of their own. */
export async function answerSoap(asked: Asked): Promise<Reply> {
  const { body, signedIn } = asked
  const read = readSoapRequest(body)
  // A fault goes with this status in SOAP 1.1 (section 6.2).
  if (read.kind === 'bad' || signedIn === undefined) return soap(500, fault(read.kind === 'bad' ? read.why : ''))
  const { operation, version } = read
  if (isOutOfBounds(read)) return soap(200, envelope(operation, errorElements('InvalidRequest'), version), version)
  const responses =
    operation === 'GetUserSettings' ? await userResponses({ ...asked, signedIn }, read) : domainResponses(asked, read)
  return soap(200, envelope(operation, [errorElements('NoError'), responses], version), version)
}

function isOutOfBounds({ subjects, settings }: SoapRequest): boolean {
  if (subjects.length === 0 || subjects.length > MOST_SUBJECTS) return true
  if (settings.length === 0 || settings.length > MOST_SETTINGS) return true
  return settings.some(({ length }) => length > LONGEST_SETTING)
}

async function userResponses(
  asked: Asked & { readonly signedIn: Identified },
  { subjects, settings }: SoapRequest,
): Promise<Markup> {
  const responses: Markup[] = []
  for (const subject of subjects) {
    const address = addressOf(subject)
    const told: Told = address === undefined ? { kind: 'nobody' } : await tell(asked, { address })
    responses.push(element('UserResponse', userResponse(told, settings)))
  }
  return element('UserResponses', responses)
}

const USER_ERRORS = {
  'redirect-address': 'RedirectAddress',
  'redirect-url': 'RedirectUrl',
  nobody: 'InvalidUser',
  unavailable: 'ServerBusy',
} as const satisfies Record<Exclude<Told['kind'], 'settings'>, SoapError>

/** Pure: what is said of one user. */
function userResponse(told: Told, wanted: readonly string[]): Content {
  if (told.kind !== 'settings') {
    const target =
      told.kind === 'redirect-address' ? told.address : told.kind === 'redirect-url' ? told.origin + PATH : undefined
    return [
      errorElements(USER_ERRORS[told.kind]),
      target === undefined ? nil('RedirectTarget') : element('RedirectTarget', target),
      elements({ UserSettingErrors: '', UserSettings: '' }),
    ]
  }
  const { found, missing } = settingsOf(told.settings, wanted)
  return [
    errorElements('NoError'),
    nil('RedirectTarget'),
    elements({ UserSettingErrors: missing, UserSettings: found }),
  ]
}

function settingsOf(settings: ClientSettings, wanted: readonly string[]) {
  const found: Content[] = []
  const missing: Content[] = []
  for (const name of wanted) {
    const value = settingOf(settings, name)
    if (value === undefined || value === 'unknown') {
      missing.push(
        settingError('UserSettingError', name, value === undefined ? 'SettingIsNotAvailable' : 'InvalidSetting'),
      )
    } else found.push(settingElement(name, value))
  }
  return { found, missing }
}

function settingError(tag: string, name: string, error: SoapError): Markup {
  return element(tag, [errorElements(error), element('SettingName', name)])
}

/** A domain has no settings of its own here: where EWS is depends on the user. What is asked of a domain is whether it is ours. */
function domainResponses({ connection }: Asked, { subjects, settings }: SoapRequest): Markup {
  const { domains } = connection.session.services.publication
  const responses = subjects.map((domain) => {
    const isOurs = domains.length === 0 || domains.includes(domain.toLowerCase())
    const missing = settings.map((name) => settingError('DomainSettingError', name, 'SettingIsNotAvailable'))
    return element('DomainResponse', [
      errorElements(isOurs ? 'NoError' : 'InvalidDomain'),
      elements({ DomainSettingErrors: isOurs ? missing : '', DomainSettings: '' }),
      nil('RedirectTarget'),
    ])
  })
  return element('DomainResponses', responses)
}

/** A message in SOAP 1.1, or in SOAP 1.2 with that one's own type (RFC 3902). */
function soap(status: number, root: Markup, version: SoapRequest['version'] = 'soap'): Reply {
  const type = version === 'soap12' ? 'application/soap+xml' : 'text/xml'
  return { status, fields: '', body: document(root), contentType: `${type}; charset=utf-8` }
}
