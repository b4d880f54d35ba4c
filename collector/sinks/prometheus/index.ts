import { z } from 'zod'
import { descriptor, optional } from '../descriptor.ts'

/** `127.0.0.1:9469`, `[::1]:9469`, or a port alone, which is one of this machine for itself. */
const address = () =>
  z.unknown().transform((given, context) => {
    const [, ip6, name, port] = /^(?:\[([\da-f:.]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(String(given)) ?? []
    if (Number(port) <= 65_535) return { host: ip6 ?? name ?? '127.0.0.1', port: Number(port) }
    context.addIssue({ code: 'custom', message: 'needs an address and a port, such as 127.0.0.1:9469' })
    return z.NEVER
  })

export const prometheus = descriptor({
  name: 'prometheus',
  settings: {
    prometheus: optional({
      type: address(),
      value: '<address:port>',
      help: 'answer /metrics, /healthz and /readyz over HTTP, for example at 127.0.0.1:9469; to anyone who can reach it',
    }),
  },
  wants: { samples: 'all', distributions: true },
  chosen: 'by its settings',
  isConfigured: ({ prometheus }) => prometheus !== undefined,

  async open({ prometheus: address }, { version }) {
    const { PrometheusSink } = await import('./prometheus.ts')
    const sink = new PrometheusSink({ version })
    const metrics = () => ({ type: sink.contentType, body: sink.text() })
    return { sink, ...(address && { web: { address, pages: { '/metrics': metrics } } }) }
  },
})
