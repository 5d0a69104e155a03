// SPDX-License-Identifier: MIT

/**
 * Beginnings of numbers that cost more than others, or whose price nobody can tell: what fraud is after. Not complete, for countries
 * have their own and change them; a site adds what it knows to `deny`.
 */
export const PREMIUM_PREFIXES: readonly string[] = [
  // Shared cost, satellites, personal numbers, networks without a country, trials, premium rate (ITU-T E.164, assigned codes).
  ...['+808', '+870', '+878', '+881', '+882', '+883', '+888', '+979', '+991'],
  // North America: services, and countries abroad that are dialled like one's own.
  ...codes('+1', ['900', '976', '242', '246', '264', '268', '284', '345', '441', '473', '649', '658', '664', '721']),
  ...codes('+1', ['758', '767', '784', '809', '829', '849', '868', '869', '876']),
  ...codes('+31', ['900', '906', '909']),
  ...codes('+32', ['70', '90']),
  ...codes('+33', ['89']),
  ...codes('+34', ['803', '806', '807', '905', '907']),
  ...codes('+39', ['144', '166', '178', '199', '892', '894', '895', '899']),
  ...codes('+41', ['900', '901', '906']),
  ...codes('+43', ['810', '820', '821', '900', '901', '930', '931', '939']),
  ...codes('+44', ['70', '843', '844', '845', '870', '871', '872', '873', '9']),
  ...codes('+49', ['118', '137', '180', '190', '191', '192', '193', '194', '900']),
  ...codes('+61', ['190']),
  // No number begins so: some gateways leave the trunk prefix out (E.164 section 6.3), and call what stands behind it.
  ...['31', '32', '33', '41', '43', '44', '49', '61'].map((country) => `+${country}0`),
]

function codes(country: string, services: readonly string[]): readonly string[] {
  return services.map((service) => country + service)
}
