// SPDX-License-Identifier: MIT
import type { Texts } from './text.js'

export const zh: Texts = {
  lang: 'zh',
  dir: 'ltr',
  signIn: '登录',
  address: '电子邮件地址或用户名',
  userName: '用户名',
  domainUser: '域\\用户名',
  password: '密码',
  computer: '这台电脑',
  publicComputer: '其他人也在使用',
  publicHint: '停止使用邮箱后不久，系统会让您退出登录。',
  privateComputer: '只有我使用',
  privateHint: '登录状态会保持更长时间。',
  signedOut: '您已退出登录。如果其他人也使用这台电脑，请关闭浏览器。',
  wrong: '用户名或密码不正确。请检查后重试。',
  expired: '由于长时间没有操作，您已退出登录。请重新登录。',
  changed: '您的密码已更改。请使用新密码登录。',
  stalePage: '此页面打开时间过长，或者浏览器拒绝了 Cookie。请重试。',
  throttled: '尝试次数过多。请稍等片刻再试。',
  unavailable: '目前无法登录。请过几分钟再试。',
  refused: '此帐户不能在这里使用。请向管理员求助。',
  passwordExpired: '您的密码已过期。请先设置新密码，然后再登录。',
  elsewhere: '您的邮箱位于另一个地址',
  elsewhereHint:
    '您的邮箱保存在另一个站点，该站点有自己的地址。请前往该地址继续，如有提示，请重新登录。今后请使用该地址。',
  goOn: '前往我的邮箱',
  error: '错误',
}
