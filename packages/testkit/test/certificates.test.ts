// SPDX-License-Identifier: MIT
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { testCertificates } from '../src/index.js'

test('both leaves are signed by the authority; the server one names this machine', () => {
  const { ca, server, client } = testCertificates()
  const authority = new X509Certificate(ca.certificate)
  for (const leaf of [server, client]) expect(new X509Certificate(leaf.certificate).checkIssued(authority)).toBe(true)
  const certificate = new X509Certificate(server.certificate)
  expect(certificate.checkHost('mbx1.test.lan')).toBe('*.test.lan')
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.checkHost('example.com')).toBeUndefined()
  expect(testCertificates().folder).toBe(testCertificates().folder)
})
