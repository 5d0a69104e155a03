// SPDX-License-Identifier: MIT
import { globMatches } from '@portico/base'
import type { Attachment } from '../../content/content.js'
import { baseName, extensionOf } from '../../content/file-name.js'
import type { AttachmentFilterSettings } from './attachment-filter-schema.js'

/** Characters of a name that are told. */
const LONGEST_NAME = 80

/** Says what is wrong with an attachment, as a sentence goes on behind its name; undefined where nothing is. */
export type AttachmentJudge = (attachment: Attachment) => string | undefined

export function attachmentJudge(settings: AttachmentFilterSettings): AttachmentJudge {
  const extensions = new Set(settings.extensions.map((extension) => extension.toLowerCase()))
  const names = settings.names.map((name) => name.toLowerCase())
  const types = settings.types.map((type) => type.toLowerCase())
  const isNamed = (name: string) =>
    extensions.has(extensionOf(name)) || names.some((glob) => globMatches(glob, name.toLowerCase()))
  return (attachment) => {
    const { name, type, executable, passwordProtected } = attachment
    if (settings.executables && executable) return `${told(name)} is a program`
    if (name !== '' && isNamed(name)) return `${told(name)} has a name that is not accepted`
    if (types.some((glob) => globMatches(glob, type))) return `${told(name)} is of type ${told(type)}`
    if (settings.passwordProtected && passwordProtected) return `${told(name)} is an archive with a password`
    const archived = settings.archives ? attachment.archived.map(baseName).find(isNamed) : undefined
    return archived === undefined ? undefined : `${told(name)} is an archive with ${told(archived)} in it`
  }
}

function told(name: string): string {
  return name === '' ? 'an attachment' : `"${name.slice(-LONGEST_NAME)}"`
}
