/** Flows by who is at their ends, of the flow stage. */

import type { Field, FlatMetric, Numbers } from './metric.ts'

const field = <Name extends string>(
  name: Name,
  type: 'gauge' | 'counter',
  unit: 'flows' | 'bytes',
  help: string,
): Field<Numbers, Name> => ({ ...{ name, type, unit, help }, of: numbers => numbers[name] })

const FIELDS = [
  field('as_client', 'gauge', 'flows', 'flows whose client is on the host'),
  field('as_server', 'gauge', 'flows', 'flows whose server is on the host'),
] as const

export const conversationMetrics = [
  {
    name: 'subnet:num_flows',
    source: 'subnet',
    group: 'subnet',
    dimensions: ['subnet'],
    fields: FIELDS,
    help: 'flows of the window whose other end is in a range of addresses with a name (`--subnets`, `--cluster-from`)',
  },
  {
    name: 'peer:num_flows',
    source: 'peer',
    group: 'peer',
    dimensions: ['end', 'peer'],
    fields: FIELDS,
    help: 'flows of the window by both ends: namespace/pod, container or host, of the other end else what the cluster calls it, the range of its address, or `unknown`',
  },
  {
    name: 'service:traffic',
    source: 'service',
    group: 'service',
    dimensions: ['namespace', 'service', 'port', 'by'],
    fields: [
      field('bytes', 'counter', 'bytes', 'payload from clients to the Service'),
      field('rev_bytes', 'counter', 'bytes', 'payload from the Service to clients'),
      field('flows', 'gauge', 'flows', 'conversations that were open at some time in the window'),
    ],
    help: 'conversations with a Service, by its port; `by` is `address` where a client asked for it, `endpoint` where a pod answered that has this Service alone; each counts once, at the host of its client, else of its server (`--cluster-from`), but UDP from the network of a node at both',
  },
  {
    name: 'node:traffic',
    source: 'node',
    group: 'node',
    dimensions: ['node', 'peer_node', 'scope'],
    fields: [
      field('bytes_sent', 'counter', 'bytes', 'payload that pods of the node sent'),
      field('bytes_rcvd', 'counter', 'bytes', 'payload that pods of the node received'),
    ],
    help: 'traffic of the pods of a node, by the node of the other end: `scope` is `intra`, `inter` or `external`; a flow between two nodes counts at both',
  },
] as const satisfies readonly FlatMetric[]
