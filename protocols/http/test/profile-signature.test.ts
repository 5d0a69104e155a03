// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, requireServer, testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { canSign, type ProfileSigner, signedProfile } from '../src/autodiscover/mobileconfig-signature.js'

const folder = privateFolder('sign')
const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' }).toString()
const derOfPem = (pem: string): Buffer => new X509Certificate(pem).raw

function ecSigner(): ProfileSigner {
  const { server, ca } = testCertificates()
  return { key: createPrivateKey(server.key), certificates: [derOfPem(server.certificate), derOfPem(ca.certificate)] }
}

/** Of its own authority, and of the first version, whose fields begin elsewhere. */
function rsaSigner(): ProfileSigner {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(join(folder, 'rsa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  openssl('req', '-new', '-key', 'rsa.key', '-subj', '/O=Example/CN=profiles', '-out', 'rsa.csr')
  openssl('x509', '-req', '-in', 'rsa.csr', '-key', 'rsa.key', '-days', '3', '-out', 'rsa.pem')
  const pem = openssl('x509', '-in', 'rsa.pem')
  return { key: privateKey, certificates: [derOfPem(pem)] }
}

describe.skipIf(requireServer('openssl') !== undefined)('the signature of a profile, seen by OpenSSL', () => {
  test.each([
    ['ECDSA, by an authority', ecSigner, () => testCertificates().ca.certificateFile],
    ['RSA, by itself', rsaSigner, () => 'rsa.pem'],
  ])('%s', async (_, signer, authority) => {
    const profile = `<plist>${'Grüße '.repeat(3000)}</plist>\n`
    const signed = await signedProfile(profile, signer(), Date.now())
    writeFileSync(join(folder, 'signed'), signed)
    const trusted = ['-CAfile', authority(), '-purpose', 'any']
    openssl('cms', '-verify', '-binary', '-inform', 'DER', '-in', 'signed', ...trusted, '-out', 'content')
    expect(execFileSync('cat', ['content'], { cwd: folder, encoding: 'utf8' })).toBe(profile)
    openssl('smime', '-verify', '-binary', '-inform', 'DER', '-in', 'signed', ...trusted, '-out', 'content')
    const told = openssl('cms', '-cmsout', '-print', '-noout', '-inform', 'DER', '-in', 'signed')
    expect(told).toMatch(/signingTime/)

    const at = signed.indexOf('<plist>')
    signed.write('<qlist>', at)
    writeFileSync(join(folder, 'forged'), signed)
    expect(() =>
      openssl('cms', '-verify', '-binary', '-inform', 'DER', '-in', 'forged', ...trusted, '-out', 'content'),
    ).toThrow(/digest|verification/i)
  })

  test('keys that devices do not know are told apart', () => {
    expect(canSign(ecSigner().key)).toBe(true)
    expect(canSign(generateKeyPairSync('ed25519').privateKey)).toBe(false)
  })
})
