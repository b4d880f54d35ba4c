import { address } from '../../../wire/settings/types.ts'
import { descriptor, optional } from '../descriptor.ts'

export const prometheus = descriptor({
  name: 'prometheus',
  settings: {
    prometheus: optional({
      type: address(),
      value: '<address:port>',
      help: 'answer /metrics, /healthz and /readyz over HTTP, for example at 127.0.0.1:9469; anyone who can reach the port can read them',
    }),
  },
  wants: { samples: 'all', distributions: true },
  chosen: 'by its settings',
  isConfigured: ({ prometheus }) => prometheus !== undefined,

  async open({ prometheus: web }, { version }) {
    const { PrometheusSink } = await import('./prometheus.ts')
    const sink = new PrometheusSink({ version })
    const metrics = () => ({ type: sink.contentType, body: sink.text() })
    return { sink, ...(web && { web: { address: web, pages: { '/metrics': metrics } } }) }
  },
})
