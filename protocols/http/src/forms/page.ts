// SPDX-License-Identifier: MIT
import { mountPath } from './paths.js'
import type { FormsSettings } from './schema.js'
import { STYLE } from './style.js'
import type { Texts } from './texts/text.js'
import { LONGEST_NAME } from './user-name.js'

/** What a page is to say and to carry. */
export interface Page {
  readonly texts: Texts
  readonly settings: FormsSettings
  readonly mount: string
  /** Where the sign-in leads to. */
  readonly destination: string
  /** Proves that the form is ours. */
  readonly token: string
  /** What was filled in before, or empty. */
  readonly user: string
  /** Shown above the form: a failure, or a fact. */
  readonly message: { readonly text: string; readonly failure: boolean } | undefined
}

/** The sign-in page: a form that needs no script, in one file. */
export function pageText({ texts, settings, mount, destination, token, user, message }: Page): string {
  const failed = message?.failure === true
  const name = escapeHtml(settings.title)
  const title = `${failed ? `${escapeHtml(texts.error)}: ` : ''}${escapeHtml(texts.signIn)} – ${name}`
  // What is wrong is told of both fields: which of them it was is nobody's business.
  const described = message === undefined ? '' : ` aria-describedby="message"${failed ? ' aria-invalid="true"' : ''}`
  const content = `${messageText(message)}<form method="post" action="${escapeHtml(mountPath(mount))}/auth.owa" autocomplete="on">
<input type="hidden" name="destination" value="${escapeHtml(destination)}">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<input type="hidden" name="isUtf8" value="1">
<label for="username">${escapeHtml(userLabel(texts, settings.logonFormat))}</label>
<input type="text" id="username" name="username" dir="ltr" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="${LONGEST_NAME}" value="${escapeHtml(user)}" required${focus(user === '')}${described}>
<label for="password">${escapeHtml(texts.password)}</label>
<input type="password" id="password" name="password" dir="ltr" autocomplete="current-password" maxlength="1024" required${focus(user !== '')}${described}>
${settings.publicPrivateChoice ? choiceText(texts) : ''}<button type="submit">${escapeHtml(texts.signIn)}</button>
</form>`
  return documentText({ texts, title, name, heading: texts.signIn, content })
}

/** What is on a page besides its own words. */
interface Document {
  readonly texts: Texts
  /** All but `heading` are HTML. */
  readonly title: string
  readonly name: string
  readonly heading: string
  readonly content: string
}

function documentText({ texts, title, name, heading, content }: Document): string {
  return `<!doctype html>
<html lang="${texts.lang}" dir="${texts.dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1><small>${name}</small>${escapeHtml(heading)}</h1>
${content}
</main>
</body>
</html>
`
}

/** The page for somebody whose mailbox is at another site: where that is, and a link to it. */
export function elsewherePageText(
  { texts, settings }: Pick<Page, 'texts' | 'settings'>,
  place: { readonly url: string; readonly shown: string },
): string {
  const name = escapeHtml(settings.title)
  const title = `${escapeHtml(texts.elsewhere)} – ${name}`
  const content = `<p class="note">${escapeHtml(texts.elsewhereHint)}</p>
<p><a class="go" href="${escapeHtml(place.url)}" autofocus>${escapeHtml(texts.goOn)}</a></p>
<p class="place" dir="ltr">${escapeHtml(place.shown)}</p>`
  return documentText({ texts, title, name, heading: texts.elsewhere, content })
}

/** The first field that is still to be filled in. */
function focus(here: boolean): string {
  return here ? ' autofocus' : ''
}

function messageText(message: Page['message']): string {
  if (message === undefined) return ''
  const { text, failure } = message
  return `<p id="message" class="note${failure ? ' bad' : ''}" role="${failure ? 'alert' : 'status'}">${escapeHtml(text)}</p>\n`
}

/** The values are those that clients of other servers know: 4 means a private computer. */
function choiceText(texts: Texts): string {
  return `<fieldset>
<legend>${escapeHtml(texts.computer)}</legend>
<label class="choice"><input type="radio" name="flags" value="0" checked><span>${escapeHtml(texts.publicComputer)}<small>${escapeHtml(texts.publicHint)}</small></span></label>
<label class="choice"><input type="radio" name="flags" value="4"><span>${escapeHtml(texts.privateComputer)}<small>${escapeHtml(texts.privateHint)}</small></span></label>
</fieldset>
`
}

function userLabel(texts: Texts, format: FormsSettings['logonFormat']): string {
  if (format === 'fullDomain') return texts.domainUser
  return format === 'userName' ? texts.userName : texts.address
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
