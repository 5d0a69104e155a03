// SPDX-License-Identifier: MIT

/** Elements whose content nobody reads. Not `head`: it ends before the first text, whether or not that is said (HTML, section 4.2.1). */
const UNSEEN = new Set(['script', 'style', 'template', 'title'])
/** Elements that begin a line (HTML, section 15.3). All others stand within one, those among them that nobody knows. */
const BLOCKS = new Set(
  'address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav ol optgroup option p plaintext pre script search section style summary table tbody template tfoot thead title tr ul xmp'.split(
    ' ',
  ),
)
/** Elements within a line that part the text around them. */
const GAPS = new Set(
  'audio button canvas embed iframe img input meter object progress select svg td textarea th video'.split(' '),
)
/** Entities with names that stand for other characters than those of Latin-1. */
const NAMED = new Map(
  Object.entries({
    amp: '&',
    apos: "'",
    bull: '•',
    copy: '©',
    euro: '€',
    gt: '>',
    hellip: '…',
    laquo: '«',
    ldquo: '“',
    lsquo: '‘',
    lt: '<',
    mdash: '—',
    nbsp: ' ',
    ndash: '–',
    quot: '"',
    raquo: '»',
    rdquo: '”',
    reg: '®',
    rsquo: '’',
    shy: '',
    trade: '™',
    zwnj: '',
  }),
)
/** Those of the letters of Latin-1, from U+00C0 on (HTML, section 13.5). */
const LETTERS =
  'Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'.split(
    ' ',
  )
for (const [at, name] of LETTERS.entries()) NAMED.set(name, String.fromCodePoint(0xc0 + at))

/**
 * The text that somebody reads who is shown some HTML, for looking for words in it: tags within a word do not part it, blocks begin
 * lines. In one pass, whatever the HTML is.
 */
export function htmlText(html: string): string {
  const pieces: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    const end = open === -1 ? html.length : open
    if (end > at) pieces.push(characters(html.slice(at, end)))
    if (open === -1) break
    at = skipTag(html, open, pieces)
  }
  return pieces
    .join('')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim()
}

/** Behind the tag, comment or unseen element that begins there. */
function skipTag(html: string, open: number, pieces: string[]): number {
  if (html.startsWith('<!--', open)) return commentEnd(html, open)
  const [, slash, name] = tagAt(html, open)
  if (name === undefined) {
    // `<` without a name is text; declarations such as <!DOCTYPE> and <?xml> are not.
    if (/[!?/]/.test(html[open + 1] ?? '')) return behind(html, '>', open + 1)
    pieces.push('<')
    return open + 1
  }
  if (BLOCKS.has(name)) pieces.push('\n')
  else if (GAPS.has(name)) pieces.push(' ')
  const end = tagEnd(html, open + 1)
  if (slash !== '' || !UNSEEN.has(name)) return end
  return closing(html, name, end)
}

const TAG = /<(\/?)([a-z][a-z0-9:-]{0,30})/iy

function tagAt(html: string, open: number): readonly [unknown, string, string | undefined] {
  TAG.lastIndex = open
  const match = TAG.exec(html)
  return [undefined, match?.[1] ?? '', match?.[2]?.toLowerCase()]
}

/** Behind the `>` that ends a tag: attributes may hold others in quotes. */
function tagEnd(html: string, from: number): number {
  const MARK = /[>"']/g
  MARK.lastIndex = from
  for (let match = MARK.exec(html); match !== null; match = MARK.exec(html)) {
    if (match[0] === '>') return MARK.lastIndex
    if (!isValueNext(html, match.index)) continue
    const close = html.indexOf(match[0], MARK.lastIndex)
    if (close !== -1) MARK.lastIndex = close + 1
  }
  return html.length
}

function isValueNext(html: string, quote: number): boolean {
  return /=\s{0,20}$/.test(html.slice(Math.max(0, quote - 21), quote))
}

function closing(html: string, name: string, from: number): number {
  const END = new RegExp(`</${name}`, 'ig')
  END.lastIndex = from
  return END.exec(html) === null ? html.length : behind(html, '>', END.lastIndex)
}

/** `<!-->` and `<!--->` are comments already, and `--!>` ends one, too (HTML, sections 13.2.5.43 to 13.2.5.51). */
function commentEnd(html: string, open: number): number {
  const END = /--!?>/g
  END.lastIndex = html.startsWith('>', open + 4) || html.startsWith('->', open + 4) ? open + 2 : open + 4
  return END.exec(html) === null ? html.length : END.lastIndex
}

function behind(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from)
  return at === -1 ? html.length : at + mark.length
}

/** Text with its character references read (HTML, section 13.2.5.72); what means nothing stays. */
function characters(text: string): string {
  const plain = text.replace(/[\s\0]+/g, ' ')
  if (!plain.includes('&')) return plain
  return plain.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));?/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED.get(name) ?? all
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code === 0xad ? '' : code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}
