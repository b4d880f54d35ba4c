import { z } from 'zod'
import { oneOf } from '../../../wire/settings/types.ts'

export type TlsVersion = '1.2' | '1.3'

/** Also as Go calls it: `VersionTLS13`. */
export const tlsVersion = () =>
  z.preprocess(given => String(given).replace(/^VersionTLS1(?=[23]$)/, '1.'), oneOf('1.2', '1.3'))
