// SPDX-License-Identifier: MIT
// Every source file names its licence in its first lines: `check-spdx [root]`.
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { filesBelow } from './source-files.mjs'

const root = resolve(process.argv[2] ?? join(dirname(new URL(import.meta.url).pathname), '../..'))
const files = ['packages', 'protocols', 'e2e', 'scripts', '.ci'].flatMap((place) => filesBelow(join(root, place)))
const sources = files.filter((file) => /\.(ts|mjs|js|sh|py)$/.test(file) || startsAsScript(file))
const bare = sources.filter(
  (file) => !/^(#!.*\n)?(\/\/|#) SPDX-License-Identifier: MIT\n/.test(readFileSync(file, 'utf8')),
)
for (const file of bare) console.error(`${relative(root, file)}: the first line has to be SPDX-License-Identifier: MIT`)
console.log(`licence lines: ${sources.length} files, ${bare.length} faults`)
process.exitCode = bare.length > 0 || sources.length === 0 ? 1 : 0

function startsAsScript(file) {
  return !/\.[a-z0-9]+$/.test(file) && readFileSync(file, 'utf8').startsWith('#!')
}
