// SPDX-License-Identifier: MIT
import type { Texts } from './text.js'

export const de: Texts = {
  lang: 'de',
  dir: 'ltr',
  signIn: 'Anmelden',
  address: 'E-Mail-Adresse oder Benutzername',
  userName: 'Benutzername',
  domainUser: 'Domäne\\Benutzername',
  password: 'Passwort',
  computer: 'Dieser Computer',
  publicComputer: 'Auch andere benutzen ihn',
  publicHint: 'Sie werden bald abgemeldet, wenn Sie Ihre Mail nicht mehr benutzen.',
  privateComputer: 'Nur ich benutze ihn',
  privateHint: 'Sie bleiben länger angemeldet.',
  signedOut: 'Sie sind abgemeldet. Schließen Sie den Browser, wenn auch andere diesen Computer benutzen.',
  wrong: 'Der Benutzername oder das Passwort stimmt nicht. Prüfen Sie beides und versuchen Sie es noch einmal.',
  expired: 'Sie wurden abgemeldet, weil eine Weile nichts geschehen ist. Melden Sie sich wieder an.',
  changed: 'Ihr Passwort wurde geändert. Melden Sie sich mit dem neuen an.',
  stalePage:
    'Diese Seite war zu lange offen, oder der Browser nimmt keine Cookies an. Bitte versuchen Sie es noch einmal.',
  throttled: 'Es waren zu viele Versuche. Warten Sie eine Weile und versuchen Sie es dann noch einmal.',
  unavailable: 'Die Anmeldung ist im Augenblick nicht möglich. Bitte versuchen Sie es in ein paar Minuten noch einmal.',
  refused: 'Dieses Konto darf hier nicht benutzt werden. Ihre Administration hilft Ihnen weiter.',
  passwordExpired: 'Ihr Passwort ist abgelaufen. Wählen Sie ein neues, bevor Sie sich hier anmelden.',
  elsewhere: 'Ihr Postfach hat eine andere Adresse',
  elsewhereHint:
    'Ihr Postfach liegt an einem anderen Standort, der eine eigene Adresse hat. Gehen Sie dorthin weiter und melden Sie sich noch einmal an, falls Sie darum gebeten werden. Bitte benutzen Sie von jetzt an diese Adresse.',
  goOn: 'Zu meinem Postfach',
  error: 'Fehler',
}
