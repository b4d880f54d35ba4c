/** The part of `nats.conf` that only the server's configuration can have: mappings, and who may do what. */

import { inboxOf, LEASES, mappingOf, STATES, STREAM, subjectOf, tokenOf } from '../../../wire/nats/names.ts'

export interface Configured {
  readonly partitions: number
  /** Public nkey of each host's probe. */
  readonly hosts: ReadonlyMap<string, string>
  readonly collectors: readonly string[]
  readonly admins: readonly string[]
}

/** What a collector asks the server. */
const COLLECTOR_PUBLISHES = [
  '$JS.API.INFO',
  ...[STREAM, `KV_${LEASES}`, `KV_${STATES}`].flatMap(stream => [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.CONSUMER.*.${stream}.>`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.>`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.ACK.${stream}.>`,
  ]),
  `$KV.${LEASES}.>`,
  `$KV.${STATES}.>`,
  '$JS.FC.>',
]

export function configuration({ partitions, hosts, collectors, admins }: Configured): string {
  const [from, to] = mappingOf(partitions)
  const lines = [
    '# The account that probes and collectors use. Where mappings cannot be configured, leave them out and put',
    `# ,partitions=${partitions} behind the endpoint of each probe.`,
    'mappings {',
    `  ${quoted(from)}: ${quoted(to)}`,
    '}',
  ]
  if (hosts.size + collectors.length + admins.length === 0)
    return `${lines.join('\n')}\n# Without --user and --collector-key everybody may publish for every host.\n`
  const users = [
    ...[...hosts].map(([host, key]) => {
      const token = tokenOf(host)
      return user(key, [subjectOf(token), subjectOf(token, partitions)], [`${inboxOf(token)}.>`], host)
    }),
    ...collectors.map(key => user(key, COLLECTOR_PUBLISHES, ['_INBOX.>'], 'a collector')),
    ...admins.map(key => `    { nkey: ${key} }`),
  ]
  return `${[...lines, 'authorization {', '  users = [', ...users, '  ]', '}'].join('\n')}\n`
}

const quoted = (text: string): string => JSON.stringify(text)
const listed = (subjects: readonly string[]): string => `[${subjects.map(quoted).join(', ')}]`

function user(key: string, publish: readonly string[], subscribe: readonly string[], who: string): string {
  return [
    `    # ${who.replaceAll(/[\r\n]/g, ' ')}`,
    `    { nkey: ${key}, permissions: {`,
    `      publish: { allow: ${listed(publish)} }, subscribe: { allow: ${listed(subscribe)} } } }`,
  ].join('\n')
}
