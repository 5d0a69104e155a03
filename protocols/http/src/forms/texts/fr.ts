// SPDX-License-Identifier: MIT
import type { Texts } from './text.js'

export const fr: Texts = {
  lang: 'fr',
  dir: 'ltr',
  signIn: 'Se connecter',
  address: 'Adresse e-mail ou nom d’utilisateur',
  userName: 'Nom d’utilisateur',
  domainUser: 'Domaine\\nom d’utilisateur',
  password: 'Mot de passe',
  computer: 'Cet ordinateur',
  publicComputer: 'D’autres personnes l’utilisent aussi',
  publicHint: 'Vous serez déconnecté peu après avoir cessé d’utiliser votre messagerie.',
  privateComputer: 'Je suis seul à l’utiliser',
  privateHint: 'Vous restez connecté plus longtemps.',
  signedOut: 'Vous êtes déconnecté. Fermez le navigateur si d’autres personnes utilisent cet ordinateur.',
  wrong: 'Le nom d’utilisateur ou le mot de passe est incorrect. Vérifiez-les et réessayez.',
  expired: 'Vous avez été déconnecté après une période d’inactivité. Connectez-vous à nouveau.',
  changed: 'Votre mot de passe a été modifié. Connectez-vous avec le nouveau.',
  stalePage: 'Cette page est restée ouverte trop longtemps, ou le navigateur refuse les cookies. Veuillez réessayer.',
  throttled: 'Il y a eu trop de tentatives. Attendez un moment, puis réessayez.',
  unavailable: 'La connexion est impossible pour le moment. Veuillez réessayer dans quelques minutes.',
  refused: 'Ce compte ne peut pas être utilisé ici. Votre administrateur peut vous aider.',
  passwordExpired: 'Votre mot de passe a expiré. Choisissez-en un nouveau avant de vous connecter ici.',
  elsewhere: 'Votre boîte aux lettres est à une autre adresse',
  elsewhereHint:
    'Votre boîte aux lettres se trouve sur un autre site, qui a sa propre adresse. Continuez là-bas et connectez-vous de nouveau si cela vous est demandé. Utilisez désormais cette adresse.',
  goOn: 'Accéder à ma boîte aux lettres',
  error: 'Erreur',
}
