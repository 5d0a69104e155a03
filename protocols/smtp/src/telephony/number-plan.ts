// SPDX-License-Identifier: MIT

/** How numbers are dialled where the site is. */
export interface NumberPlan {
  /** Digits of the site's country code; undefined: only numbers with a plus sign are understood. */
  readonly countryCode: string | undefined
  /** What is dialled in front of a number of the own country; '' where nothing is. */
  readonly nationalPrefix: string
  /** What is dialled in front of a country code. */
  readonly internationalPrefix: string
}

/**
 * A number with its country code: 7 to 15 digits (E.164 section 6; no country has shorter ones but for emergencies, information and
 * other services of its own, which are nobody's mailbox or fax).
 */
const INTERNATIONAL = /^\+[1-9]\d{6,14}$/

/** The number with plus sign and country code; undefined where it is none, or nobody has said how it is dialled. */
export function internationalNumber(number: string, plan: NumberPlan): string | undefined {
  const full = number.startsWith('+') ? number : withCountry(number, plan)
  return full !== undefined && INTERNATIONAL.test(full) ? full : undefined
}

function withCountry(number: string, plan: NumberPlan): string | undefined {
  const { countryCode, nationalPrefix, internationalPrefix } = plan
  if (countryCode === undefined) return undefined
  if (number.startsWith(internationalPrefix)) return `+${number.slice(internationalPrefix.length)}`
  if (!number.startsWith(nationalPrefix)) return undefined
  return `+${countryCode}${number.slice(nationalPrefix.length)}`
}
