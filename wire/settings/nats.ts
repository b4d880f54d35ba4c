/** How both programs are known to a NATS server, and it to them. */

import type { NatsAccess } from '../nats/connect.ts'
import { setting, type Values } from './settings.ts'
import { text } from './types.ts'

export const natsSettings = {
  natsCredentials: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'file with the seed of an nkey (SU…) or with credentials, for a nats endpoint',
  }),
  natsCa: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: "certificate of the authority that signed the NATS servers'",
  }),
}

export const natsAccessOf = ({ natsCredentials, natsCa }: Values<typeof natsSettings>): NatsAccess => ({
  credentials: natsCredentials,
  ca: natsCa,
})
