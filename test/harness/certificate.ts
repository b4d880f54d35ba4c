import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const MADE = [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
] as const

/**
 * A certificate that signs itself, and its key, as files: `name.pem`, `name.key`.
 * @param names that it is for, besides its own: `IP:127.0.0.1`
 */
export function selfSigned(folder: string, name: string, names: readonly string[] = []) {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
  const more = names.length > 0 ? ['-addext', `subjectAltName=${names.join()}`] : []
  const words = [...MADE, '-subj', `/CN=${name}`, ...more, '-keyout', key, '-out', certificate]
  execFileSync('openssl', words, { stdio: 'ignore' })
  return { certificate, key }
}
