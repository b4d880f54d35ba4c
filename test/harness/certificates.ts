/** An authority of our own, and certificates that it has signed: for TLS with both sides known. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  readonly certificate: string
  readonly key: string
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' })

export class Authority {
  readonly certificate: string
  readonly #directory: string
  readonly #key: string

  /** @param directory for its files */
  constructor(directory: string) {
    this.#directory = directory
    this.certificate = join(directory, 'authority.pem')
    this.#key = join(directory, 'authority.key')
    const names = ['-subj', '/CN=authority', '-keyout', this.#key, '-out', this.certificate]
    openssl('req', '-x509', ...EC, '-days', '2', ...names)
  }

  /** @param name a DNS name, of the certificate */
  sign(name: string): Pair {
    const at = (ending: string) => join(this.#directory, `${name}.${ending}`)
    const pair = { certificate: at('pem'), key: at('key') }
    openssl('req', '-new', ...EC, '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', at('csr'))
    writeFileSync(at('ext'), `subjectAltName=DNS:${name}\n`)
    const by = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-days', '2']
    openssl('x509', '-req', '-in', at('csr'), ...by, '-extfile', at('ext'), '-out', pair.certificate)
    return pair
  }
}
