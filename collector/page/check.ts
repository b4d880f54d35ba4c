/** What holds between the settings of the page, and between them and this machine. */

import type { Remark } from '../../wire/settings/read.ts'
import { certificateFault, keyFault } from '../certificate.ts'
import type { Address } from '../routes.ts'
import { isLoopback } from './names.ts'

export interface PageSettings {
  readonly http: Address | undefined
  readonly httpCertificate: string | undefined
  readonly httpKey: string | undefined
  readonly httpName: readonly string[]
}
type Given = (name: keyof PageSettings) => string | undefined

export function checkPage(options: PageSettings, given: Given): readonly Remark[] {
  const { http, httpCertificate, httpKey, httpName } = options
  const isAsked = http !== undefined
  const unused = (['httpCertificate', 'httpKey', 'httpName'] as const).filter(
    name => !isAsked && given(name) !== undefined,
  )
  const fault = httpCertificate === undefined ? undefined : certificateFault(httpCertificate)
  return [
    ...unused.map(name => ({ warning: true as const, text: `${given(name)}: has no effect without --http` })),
    fault !== undefined && { text: `${given('httpCertificate')}: ${fault}` },
    (httpCertificate === undefined) !== (httpKey === undefined) && {
      text: `${given('httpCertificate') ?? given('httpKey')}: a certificate and its key belong together: give --http-certificate and --http-key`,
    },
    fault === undefined && keyRemark(options, given),
    isAsked &&
      !isLoopback(http) &&
      httpCertificate === undefined &&
      httpName.length > 0 && {
        warning: true as const,
        text: `${given('http')}: ${http.host} is reached from other machines in plain text, also past the proxy ${httpName[0]}: listen at 127.0.0.1 if it runs here, give --http-certificate and --http-key, or let nobody but the proxy reach the port`,
      },
    isAsked &&
      !isLoopback(http) &&
      httpCertificate === undefined &&
      httpName.length === 0 && {
        text: `${given('http')}: ${http.host} is reached from other machines, and the page would go there in plain text: give --http-certificate and --http-key, or listen at 127.0.0.1 behind a proxy that speaks TLS and give its name with --http-name`,
      },
  ].filter(remark => remark !== false)
}

function keyRemark({ httpCertificate, httpKey }: PageSettings, given: Given): Remark | false {
  if (httpCertificate === undefined || httpKey === undefined) return false
  const fault = keyFault(httpKey, httpCertificate)
  return fault !== undefined && { text: `${given('httpKey')}: ${fault}` }
}
