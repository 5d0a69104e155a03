// SPDX-License-Identifier: MIT
import { accountTargets } from './accounts.mjs'
import { configTargets } from './config.mjs'
import { dnsTargets } from './dns.mjs'
import { httpTargets } from './http.mjs'
import { autodiscoverTargets } from './http-autodiscover.mjs'
import { httpFormsTargets } from './http-forms.mjs'
import { httpHintTargets } from './http-hints.mjs'
import { httpPassingTargets } from './http-passing.mjs'
import { http2Targets } from './http2.mjs'
import { imap4Targets } from './imap4.mjs'
import { pop3Targets } from './pop3.mjs'
import { proxyTargets } from './proxy.mjs'
import { saslTargets } from './sasl.mjs'
import { sipTargets } from './sip.mjs'
import { smtpTargets } from './smtp.mjs'
import { smtpAuthenticationTargets } from './smtp-authentication.mjs'
import { smtpContentTargets } from './smtp-content.mjs'
import { smtpMessageTargets } from './smtp-message.mjs'
import { smtpPolicyTargets } from './smtp-policy.mjs'
import { smtpRuleTargets } from './smtp-rules.mjs'
import { smtpScannerTargets } from './smtp-scanners.mjs'
import { smtpTelephonyTargets } from './smtp-telephony.mjs'

/**
 * Every parser, as `{ name, words, examples, streams, run, check, throws }`: `run(bytes, pieces)` gives a result that can be
 * compared, `check` what has to hold for it, `throws` says which errors are documented. `load(folder, module)` brings the sources'
 * modules, built or not.
 */
export async function makeTargets(load) {
  const groups = [
    imap4Targets,
    pop3Targets,
    smtpTargets,
    smtpMessageTargets,
    smtpContentTargets,
    smtpRuleTargets,
    dnsTargets,
    smtpScannerTargets,
    smtpTelephonyTargets,
    smtpPolicyTargets,
    smtpAuthenticationTargets,
    httpTargets,
    httpPassingTargets,
    httpHintTargets,
    httpFormsTargets,
    http2Targets,
    autodiscoverTargets,
    sipTargets,
    saslTargets,
    proxyTargets,
    accountTargets,
    configTargets,
  ]
  return (await Promise.all(groups.map((group) => group(load)))).flat()
}
