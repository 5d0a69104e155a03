// SPDX-License-Identifier: MIT

// Comments, strings and templates in one pass, so that none of them is taken for another.
const TOKENS = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
const STATEMENT = /\b(import|export)\s+(type\s+)?(?:[\w*{}\s,$]*?\bfrom\s+)?(['"])([^'"\n]+)\3/g
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"\n]+)\1\s*\)/g

/** The modules that a TypeScript source names: specifier, line, and whether only types are taken. */
export function readImports(source) {
  const code = source.replace(TOKENS, (token) => (/^[/`]/.test(token) ? token.replace(/[^\n]/g, ' ') : token))
  const lineAt = (index) => code.slice(0, index).split('\n').length
  const statements = [...code.matchAll(STATEMENT)].map((found) => ({
    specifier: found[4],
    line: lineAt(found.index),
    typeOnly: found[2] !== undefined || onlyTypes(found[0]),
  }))
  const dynamic = [...code.matchAll(DYNAMIC)].map((found) => ({
    specifier: found[2],
    line: lineAt(found.index),
    // `import('x').Y` in the place of a type leaves nothing at run time; `await import('x')` does.
    typeOnly: !/(?:await|return|=>|=|\()\s*$/.test(code.slice(0, found.index)),
  }))
  return [...statements, ...dynamic]
}

/** `import { type A, type B } from …` leaves nothing at run time (nothing is said of an empty list). */
function onlyTypes(statement) {
  const names = /\{([^}]*)\}/.exec(statement)?.[1]
  if (names === undefined || /^(?:import|export)\s+(?:\w+\s*,|\*)/.test(statement)) return false
  const listed = names.split(',').filter((name) => name.trim() !== '')
  return listed.length > 0 && listed.every((name) => /^\s*type\s/.test(name))
}
