/** Flows by who is at the other end, of the flow stage. */

import type { Field, FlatMetric, Numbers } from './metric.ts'

const field = <Name extends 'as_client' | 'as_server'>(name: Name, help: string): Field<Numbers, Name> => ({
  ...{ name, type: 'gauge', unit: 'flows', help },
  of: numbers => numbers[name],
})
const FIELDS = [
  field('as_client', 'flows whose client is on the host'),
  field('as_server', 'flows whose server is on the host'),
] as const

export const conversationMetrics = [
  {
    name: 'subnet:num_flows',
    source: 'subnet',
    group: 'subnet',
    dimensions: ['subnet'],
    fields: FIELDS,
    help: 'flows of the window whose other end is in a range of addresses with a name (`--subnets`)',
  },
  {
    name: 'peer:num_flows',
    source: 'peer',
    group: 'peer',
    dimensions: ['end', 'peer'],
    fields: FIELDS,
    help: 'flows of the window by both ends: namespace/pod, container or host, of the other end else the range of its address, or `unknown`',
  },
] as const satisfies readonly FlatMetric[]
