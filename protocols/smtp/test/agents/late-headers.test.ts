// SPDX-License-Identifier: MIT
import { runTranscripts } from '@portico/testkit'
import { type Opinion, PASS } from '../../src/agents/agent.js'
import { say } from '../../src/replies.js'
import { agent, prepending, withAgents } from './support.js'

const OPINIONS: Readonly<Record<string, Opinion>> = {
  refuse: { kind: 'refuse', reply: say(554, '5.7.1', 'Not this one') },
  edit: { kind: 'pass', edits: prepending('X-Judged: late\r\n') },
}

/** It answers some turns of the event loop later, by the header field X-Opinion; to `never` not at all. */
const late = agent(
  {
    async headers({ fields }) {
      const word = fields.first('x-opinion')?.text() ?? ''
      if (word === 'never') return new Promise<Opinion>(() => {})
      await new Promise((resolve) => setImmediate(resolve))
      return OPINIONS[word] ?? PASS
    },
  },
  { deadline: 200, whenAway: 'tempfail' },
)
/** Because of it the whole message is kept first. */
const reader = agent({ dataEnd: () => PASS })

runTranscripts(new URL('late-transcripts/', import.meta.url), withAgents([late]))
runTranscripts(new URL('kept-transcripts/', import.meta.url), withAgents([late, reader]))
