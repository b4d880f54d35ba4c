/** Records of conversations as IPFIX: told as an exporter on each node would, as an aggregator would, or both. */

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { every } from '../../wire/process/guarded.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Counted } from '../counters.ts'
import type { Follower } from '../flows/follower.ts'
import { Aggregator } from './follow/aggregator.ts'
import { Exporter, type TellerParts } from './follow/exporter.ts'
import { Follow, type Periods, type Teller } from './follow/follow.ts'
import { NodeAddresses } from './follow/node_addresses.ts'
import type { Identifiers } from './format/identifiers.ts'
import { domainOf, HEADER_BYTES, MAX_MESSAGE, SET_BYTES } from './format/message.ts'
import type { Profile } from './format/templates.ts'
import { type Fixed, Output, type RecordFormat } from './output.ts'
import { addressText } from './send/address.ts'
import { OPENERS, type TlsFiles } from './send/openers.ts'
import { Sender } from './send/sender.ts'
import { IpfixSpeaker, JsonSpeaker } from './send/speaker.ts'
import { aggregatorTarget, exporterTarget, type IpfixOptions, isOfToday, type Target } from './targets.ts'

const TICK_MS = 1000
/** Time for the last records when the collector stops. */
const FLUSH_MS = 2000
/** RFC 768, and the header of IPv4. */
const MAX_DATAGRAM = 65_507
/** RFC 7011, 10.3.3: where the path is not known. */
const DATAGRAM = 512
const BURST = { messages: 64, pauseMs: 5 }

interface Role {
  readonly name: 'exporter' | 'aggregator'
  readonly target: Target
  readonly profile: Profile
  readonly format: RecordFormat
  readonly periods: Periods
  /** Both ends are one record. */
  readonly isJoined?: boolean
  /** Of the certificate. */
  readonly certified?: string | undefined
  /** undefined: each node has its own. */
  readonly domain?: number | undefined
  readonly fixed?: Fixed | undefined
  readonly identifiers?: Identifiers | undefined
}

interface Line {
  readonly role: Role
  readonly follow: Follow
  readonly output: Output
  readonly sender: Sender
  readonly aggregator?: Aggregator
}

/** The flow stage. */
interface Followable {
  follow(followers: readonly Follower[]): void
}

export class Ipfix implements Counted {
  readonly #lines: readonly Line[]
  readonly #timer: NodeJS.Timeout | undefined

  private constructor(lines: readonly Line[], log: ThrottledLog) {
    this.#lines = lines
    const waiting = lines.flatMap(({ aggregator }) => aggregator ?? [])
    if (waiting.length > 0)
      this.#timer = every(TICK_MS, 'waiting for the other end', log, () => {
        for (const aggregator of waiting) aggregator.tick()
      })
    for (const { sender } of lines) sender.start()
  }

  static open(options: IpfixOptions, flows: Followable, log: ThrottledLog): Ipfix {
    const addresses = new NodeAddresses()
    const parts = { scope: options.ipfixFlows, addresses }
    const lines = rolesOf(options).map(role => lineOf(role, options, parts, log))
    if (lines.length > 0) flows.follow([addresses, ...lines.map(({ follow }) => follow)])
    return new Ipfix(lines, log)
  }

  losses() {
    const sum = (of: (line: Line) => number) => this.#lines.reduce((sum, line) => sum + of(line), 0)
    if (this.#lines.length === 0) return {}
    return {
      'ipfix/dropped': sum(({ sender }) => sender.waiting.dropped),
      'ipfix/too_long': sum(({ output }) => output.tooLong),
      'ipfix/incomplete': sum(({ aggregator }) => aggregator?.incomplete ?? 0),
    }
  }

  view() {
    const views = this.#lines.map(({ role, sender, follow, aggregator }) => {
      const { counters, waiting, isConnected } = sender
      const held = aggregator && { held: aggregator.held, incomplete: aggregator.incomplete }
      return [
        role.name,
        { ...counters, waiting: waiting.size, connected: isConnected, ...held, bytes: follow.bytes },
      ]
    })
    return views.length > 0 ? { ipfix: Object.fromEntries(views) } : {}
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const { aggregator } of this.#lines) aggregator?.flush()
    await Promise.all(this.#lines.map(({ sender }) => sender.close(FLUSH_MS)))
  }
}

function rolesOf(options: IpfixOptions): Role[] {
  const [exporter, aggregator] = [exporterTarget(options), aggregatorTarget(options)]
  const [idleS, isProxy] = [options.idleFlowExportTimeout, options.flowAggregatorMode === 'proxy']
  const roles: Role[] = []
  if (exporter)
    roles.push({
      ...{ name: 'exporter', target: exporter, profile: options.flowExporterTemplate, format: 'ipfix' },
      periods: { activeS: options.activeFlowExportTimeout, idleS },
      certified: options.flowAggregatorAddress,
    })
  if (aggregator)
    roles.push({
      ...{ name: 'aggregator', target: aggregator, isJoined: !isProxy },
      profile: isProxy ? 'proxy' : options.flowAggregatorTemplate,
      format: options.ipfixFormat,
      periods: { activeS: isProxy ? options.activeFlowExportTimeout : options.flowExportInterval, idleS },
      domain: options.ipfixDomain ?? domainOf(hostname()),
      certified: options.externalFlowCollectorName,
      fixed: {
        clusterId: options.ipfixClusterId ?? '',
        ...(!options.ipfixPodLabels && { sourcePodLabels: '', destinationPodLabels: '' }),
      },
      identifiers: isOfToday(options) ? { names: options.ipfixNames, uids: options.ipfixUids } : undefined,
    })
  return roles
}

function lineOf(
  role: Role,
  options: IpfixOptions,
  parts: Omit<TellerParts, 'emit'>,
  log: ThrottledLog,
): Line {
  const { target, profile, format, domain, fixed, identifiers, periods } = role
  const isUdp = target.transport === 'udp'
  const most = isUdp ? MAX_DATAGRAM : MAX_MESSAGE
  const maxRecord = format === 'json' && !isUdp ? Number.POSITIVE_INFINITY : most - HEADER_BYTES - SET_BYTES
  const output = new Output(
    { profile, times: options.ipfixTimes, identifiers, format, domain, fixed, maxRecord },
    entry => sender.add(entry),
  )
  const speaker =
    format === 'json'
      ? new JsonSpeaker(isUdp ? 0 : most)
      : new IpfixSpeaker({
          templates: [output.templates[4], output.templates[6]],
          domains: domain === undefined ? [] : [domain],
          maxMessage: Math.min(options.ipfixMessageSize || (isUdp ? DATAGRAM : most), most),
          isStream: !isUdp,
          refreshS: isUdp ? options.ipfixTemplateRefresh : undefined,
        })
  const sender = new Sender(
    {
      name: `ipfix ${role.name} ${addressText(target)}`,
      maxBytes: options.ipfixQueueSize,
      burst: isUdp ? BURST : undefined,
    },
    signal => OPENERS[target.transport](target, filesOf(options, role), signal),
    speaker,
    log,
  )
  const emit: TellerParts['emit'] = record => output.emit(record)
  const now = () => performance.now()
  const aggregator = role.isJoined ? new Aggregator({ ...parts, emit }, periods.activeS, now) : undefined
  const names = role.name === 'aggregator' ? 'both' : 'own'
  const teller: Teller = aggregator ?? new Exporter({ ...parts, emit }, names)
  const follow = new Follow(teller, periods, options.flowProtocolFilter)
  return { role, output, sender, follow, ...(aggregator && { aggregator }) }
}

/** Anew for each connection: certificates are renewed. @throws when one cannot be read */
function filesOf(options: IpfixOptions, { target, certified: name }: Role): TlsFiles {
  if (target.transport !== 'tls') return {}
  return {
    ca: read(options.ipfixCa),
    certificate: read(options.ipfixCertificate),
    key: read(options.ipfixKey),
    version: options.ipfixTlsVersion,
    name,
  }
}

function read(path: string | undefined): Buffer | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path)
  } catch (error) {
    throw new Error(`cannot read ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}
