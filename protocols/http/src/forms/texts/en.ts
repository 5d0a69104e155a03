// SPDX-License-Identifier: MIT
import type { Texts } from './text.js'

export const en: Texts = {
  lang: 'en',
  dir: 'ltr',
  signIn: 'Sign in',
  address: 'E-mail address or user name',
  userName: 'User name',
  domainUser: 'Domain\\user name',
  password: 'Password',
  computer: 'This computer',
  publicComputer: 'Others use it too',
  publicHint: 'You are signed out soon after you stop using your mail.',
  privateComputer: 'Only I use it',
  privateHint: 'You stay signed in for longer.',
  signedOut: 'You are signed out. Close the browser if others use this computer.',
  wrong: 'The user name or the password is wrong. Check both and try again.',
  expired: 'You were signed out because nothing had been done for a while. Sign in again.',
  changed: 'Your password was changed. Sign in with the new one.',
  stalePage: 'This page was open for too long, or the browser refuses cookies. Please try again.',
  throttled: 'There were too many attempts. Wait a while and try again.',
  unavailable: 'Signing in is not possible at the moment. Please try again in a few minutes.',
  refused: 'This account may not be used here. Your administrator can help.',
  passwordExpired: 'Your password has expired. Choose a new one before you sign in here.',
  elsewhere: 'Your mailbox is at another address',
  elsewhereHint:
    'Your mailbox is kept at another place, with its own address. Go on there, and sign in again if you are asked to. Please use that address from now on.',
  goOn: 'Go to my mailbox',
  error: 'Error',
}
