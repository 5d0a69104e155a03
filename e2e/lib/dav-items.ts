// SPDX-License-Identifier: MIT

/** A calendar with one event (RFC 5545). */
export function event(uid: string, summary: string): string {
  return [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//', 'BEGIN:VEVENT', `UID:${uid}`, 'DTSTAMP:20260101T000000Z'],
    ...['DTSTART:20260102T100000Z', 'DTEND:20260102T110000Z', `SUMMARY:${summary}`, 'END:VEVENT', 'END:VCALENDAR', ''],
  ].join('\r\n')
}

/** A card of an address book (RFC 6350 as version 3). */
export function card(uid: string, name: string): string {
  return ['BEGIN:VCARD', 'VERSION:3.0', `UID:${uid}`, `FN:${name}`, `N:${name};;;;`, 'END:VCARD', ''].join('\r\n')
}
