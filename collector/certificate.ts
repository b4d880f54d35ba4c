import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

const PEM = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs

/** What is wrong with a file of certificates in PEM, and what to do; undefined when nothing is. */
export function certificateFault(path: string): string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (error) {
    return `cannot read ${path} (${(error as NodeJS.ErrnoException).code}): correct the path or its permissions`
  }
  return certificateTextFault(text, path)
}

/** @param path where the text is from */
export function certificateTextFault(text: string, path: string): string | undefined {
  const found = text.match(PEM) ?? []
  const broken = found.findIndex(pem => !isCertificate(pem))
  if (broken >= 0) return `certificate ${broken + 1} in ${path} is damaged: copy it again`
  if (found.length > 0) return undefined
  if (text.startsWith('\x30') && isCertificate(Buffer.from(text, 'latin1')))
    return `${path} is a certificate in DER: write it as PEM (openssl x509 -inform der -in ${path})`
  return text.includes('PRIVATE KEY-----')
    ? `${path} is a private key: give the certificate of the authority`
    : `${path} is no certificate: give the certificate of the authority in PEM`
}

/** What is wrong with a private key in PEM, or with its belonging to this certificate, and what to do; undefined when nothing is. */
export function keyFault(path: string, certificate: string): string | undefined {
  try {
    return keyTextFault(readFileSync(path), readFileSync(certificate), path, certificate)
  } catch (error) {
    return keyless(path, error)
  }
}

/** @param path where the key is from, and `certificate` where its certificate is */
export function keyTextFault(
  key: string | Buffer,
  text: string | Buffer,
  path: string,
  certificate: string,
): string | undefined {
  try {
    if (new X509Certificate(text).checkPrivateKey(createPrivateKey(key))) return undefined
    return `${path} is not the key of ${certificate}: give the two that were made together`
  } catch (error) {
    return keyless(path, error)
  }
}

function keyless(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return `${path} is no private key in PEM without a passphrase (${code ?? message}): correct the path, or write it so`
}

function isCertificate(text: string | Buffer): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}

const STRANGER = (authority: string) =>
  `its certificate is signed by nobody that is known here: give that authority's certificate as ${authority}`
const NO_TLS = () => 'it does not speak TLS'

/** Errors of Node and OpenSSL about the other side, by `code`. */
const TRUST: Readonly<Record<string, (authority: string) => string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  CERT_HAS_EXPIRED: () => 'its certificate has expired: renew it there',
  CERT_NOT_YET_VALID: () => 'its certificate is not valid yet: compare the clocks',
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
}

/**
 * Why we do not trust the other side, and what to do; undefined: it is something else.
 * @param authority where the certificate of the authority is given
 */
export const trustFault = (code: string | undefined, authority: string): string | undefined =>
  code === undefined ? undefined : TRUST[code]?.(authority)
