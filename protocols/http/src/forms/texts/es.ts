// SPDX-License-Identifier: MIT
import type { Texts } from './text.js'

export const es: Texts = {
  lang: 'es',
  dir: 'ltr',
  signIn: 'Iniciar sesión',
  address: 'Dirección de correo o nombre de usuario',
  userName: 'Nombre de usuario',
  domainUser: 'Dominio\\nombre de usuario',
  password: 'Contraseña',
  computer: 'Este equipo',
  publicComputer: 'También lo usan otras personas',
  publicHint: 'La sesión se cierra poco después de que deje de usar el correo.',
  privateComputer: 'Solo lo uso yo',
  privateHint: 'La sesión permanece abierta más tiempo.',
  signedOut: 'Ha cerrado la sesión. Cierre el navegador si otras personas usan este equipo.',
  wrong: 'El nombre de usuario o la contraseña no son correctos. Compruébelos e inténtelo de nuevo.',
  expired: 'La sesión se cerró porque no hubo actividad durante un tiempo. Iníciela de nuevo.',
  changed: 'Su contraseña ha cambiado. Inicie sesión con la nueva.',
  stalePage: 'Esta página ha estado abierta demasiado tiempo o el navegador rechaza las cookies. Inténtelo de nuevo.',
  throttled: 'Ha habido demasiados intentos. Espere un momento e inténtelo de nuevo.',
  unavailable: 'En este momento no es posible iniciar sesión. Inténtelo de nuevo dentro de unos minutos.',
  refused: 'Esta cuenta no se puede usar aquí. Su administrador puede ayudarle.',
  passwordExpired: 'Su contraseña ha caducado. Elija una nueva antes de iniciar sesión aquí.',
  elsewhere: 'Su buzón está en otra dirección',
  elsewhereHint:
    'Su buzón se encuentra en otro sitio, que tiene su propia dirección. Continúe allí e inicie sesión de nuevo si se le pide. Utilice esa dirección a partir de ahora.',
  goOn: 'Ir a mi buzón',
  error: 'Error',
}
