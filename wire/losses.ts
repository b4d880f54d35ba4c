/** Every reason of `probe:lost` and `collector:lost`: what is counted, what it means, and what to do. */

import type { LOST } from './records.ts'

export interface Loss {
  /** What one count is. */
  readonly unit: string
  readonly means: string
  readonly remedy: string
}

type KernelReason = `kernel/${(typeof LOST)[number]}`

const loss = (unit: string, means: string, remedy: string): Loss => ({ unit, means, remedy })

const MORE_RING = 'raise `--ring-size`'
const NONE = 'nothing to do'
const UPDATE = 'update the older of the two programs'
const STRANGER = 'find the program that sends it; no probe of this version does'

const KERNEL: Readonly<Record<KernelReason, Loss>> = {
  'kernel/slot': loss(
    'connections',
    'every flow slot is taken: the connection is counted when it closes, not while it lives',
    'raise `--max-flows`',
  ),
  'kernel/storage': loss(
    'sockets',
    'the kernel had no memory for what it keeps of a socket',
    'free memory on the host',
  ),
  'kernel/tcp_flow_ring': loss('rows', 'the ring was full: the last row of a closed connection', MORE_RING),
  'kernel/cgroup_path_ring': loss(
    'records',
    'the ring was full: names of a cgroup; they are sent again with its next socket',
    NONE,
  ),
  'kernel/free_slot': loss(
    'slots',
    'a slot could not be given back under contention; it stays taken',
    'raise `--max-flows` if `kernel/slot` rises, too',
  ),
  'kernel/process_ring': loss(
    'records',
    'the ring was full: names of a process; they are sent again with its next socket',
    NONE,
  ),
  'kernel/tcp_total': loss(
    'events',
    'no room for the sums of one more cgroup: RTT samples and resets',
    'fewer cgroups with sockets on this host; flows are counted all the same',
  ),
  'kernel/evicted_udp': loss(
    'conversations',
    'a UDP conversation was pushed out before it was idle; its row was sent, and it may be counted twice in its window',
    'raise `--max-udp-flows`',
  ),
  'kernel/udp_slot': loss('datagrams', 'no room for one more UDP conversation', 'raise `--max-udp-flows`'),
  'kernel/udp_flow_ring': loss(
    'rows',
    'the ring was full: the row of a conversation that was pushed out',
    'raise `--max-udp-flows`',
  ),
  'kernel/udp_header': loss('datagrams', 'IPv6 datagrams behind extension headers are not counted', NONE),
  'kernel/tcp_health_ring': loss(
    'rows',
    'the ring was full: why a closed connection was slow; the connection itself is counted',
    'raise `--ring-size`',
  ),
  'kernel/listener': loss(
    'sockets',
    'more than 4,096 sockets listen: the queue of one more is not reported',
    NONE,
  ),
}

const QUEUE_FULL = 'start the collector or its database, or raise `--queue-size`'
const STOPPED = 'give the probe a `--spool`, or stop it while its collector runs'
const KILLED = 'see why it was killed: memory, or a service manager that does not wait'
const SPOOL_FULL = 'start the collector or its database, or raise `--spool-size`'
const SPOOL_OLD = 'start the collector or its database, or raise `--spool-age`'
const SPOOL_DAMAGED = 'look at the disk, or at who else writes there'
const RENAMED = 'let the spool become empty before a host is renamed'

/** By `stage/reason`; `*` stands for any word. */
export const LOSSES: Readonly<Record<string, Loss>> = {
  ...KERNEL,
  'kernel/bad_record': loss(
    'records',
    'a record of another size than its layout says',
    'report it: BPF object and probe do not belong together',
  ),
  'kernel/growth': loss(
    'times',
    'the kernel refused more room for flows; what found no room counts as `kernel/slot`, `kernel/evicted_udp`, `kernel/udp_slot` or `kernel/tcp_total`',
    'free memory on the host, or raise the memory limit of the probe',
  ),
  'kernel/close_missed': loss(
    'connections',
    "the kernel skipped the close (a tracepoint's recursion): the pass found it at the window's end; counters of its last window and `failed` are missing",
    'nothing to do; it rises in storms of connections',
  ),
  'fold/full': loss(
    'flows',
    'more cgroups than `--fold` adds up: these flows were sent as they are',
    'nothing is lost; the collector has more to do',
  ),
  'identify/unknown_cgroup': loss(
    'cgroups',
    'the names of a cgroup never came: its flows count for the host',
    'nothing to do; it rises when very many cgroups are made at once, see `kernel/cgroup_path_ring`',
  ),
  'identify/*_nonsense': loss(
    'questions',
    'the answer of a runtime cannot be read',
    'check what listens on its socket',
  ),
  'identify/*_timeout': loss(
    'questions',
    'a runtime did not answer in time',
    'check the runtime; names are looked for again',
  ),
  'identify/*_denied': loss(
    'questions',
    'a runtime refused the probe',
    'let the probe open its socket: `sockflux doctor` says which',
  ),
  'identify/*_unavailable': loss(
    'questions',
    'nobody listens on the socket of a runtime',
    'start the runtime, or correct its socket: `sockflux doctor`',
  ),
  'identify/*_failed': loss('questions', 'a runtime answered with an error', 'look into its log'),
  'queue/full': loss(
    'rows',
    'the queue was full: rows of windows that no collector has, once for each collector',
    QUEUE_FULL,
  ),
  'queue/full_windows': loss('windows', 'these windows', QUEUE_FULL),
  'queue/stopped': loss(
    'rows',
    'the probe stopped before they were acknowledged, and has no spool, or could not write to it; only its log says so, as nothing is sent any more',
    STOPPED,
  ),
  'queue/stopped_windows': loss('windows', 'these windows', STOPPED),
  'queue/killed': loss(
    'rows',
    'of windows that were in the memory of a probe that was killed, or lost its power: a collector may have stored them all the same',
    KILLED,
  ),
  'queue/killed_windows': loss('windows', 'these windows', KILLED),
  'queue/spool_full': loss('rows', 'the spool was full: rows of its oldest windows', SPOOL_FULL),
  'queue/spool_full_windows': loss('windows', 'these windows', SPOOL_FULL),
  'queue/spool_old': loss('rows', 'of windows that waited in the spool for too long', SPOOL_OLD),
  'queue/spool_old_windows': loss('windows', 'these windows', SPOOL_OLD),
  'queue/spool_damaged': loss(
    'rows',
    'of windows whose files in the spool were cut, scrambled or removed, as far as that is known',
    SPOOL_DAMAGED,
  ),
  'queue/spool_damaged_windows': loss('windows', 'these windows', SPOOL_DAMAGED),
  'queue/collector_full': loss(
    'rows',
    'of windows that a collector dropped: its sink stored nothing, and neither its disk nor its memory had room',
    'mend the sink of the collector, or give it a `--spool`; `sockflux ledger` says which sink',
  ),
  'queue/collector_full_windows': loss(
    'windows',
    'these windows',
    'mend the sink of the collector, or give it a `--spool`',
  ),
  'queue/renamed': loss(
    'rows',
    'of windows in the spool that the host has under another name: a probe speaks for one host',
    RENAMED,
  ),
  'queue/renamed_windows': loss('windows', 'these windows', RENAMED),
  'window/skipped': loss(
    'windows',
    'the probe was late by more than two intervals: these windows have no value, their flows are in the one before',
    'give the probe CPU time; it is normal after the machine slept',
  ),
  'window/stretched': loss(
    'windows',
    'longer than one and a half intervals (a late probe, a clock set back): shown and not stored',
    'give the probe CPU time, or look at what sets the clock',
  ),
  'window/clock_set': loss(
    'times',
    'the clock of the host was set past the running window; labels follow the new clock',
    'let NTP slew the clock instead of setting it',
  ),
  'window/clock_unset': loss(
    'windows',
    'the clock was never set (it says 1970): shown and not stored',
    'set the clock',
  ),
  'log/dropped': loss('lines', 'nobody read the log, or its disk is full', 'read or rotate the log'),
  'stream/torn': loss(
    'windows',
    'parts in the stream that never made a whole window, or are no parts of one',
    'see `queue/full` of the probes; else find who else publishes there',
  ),
  'stream/discarded': loss(
    'times',
    "the stream had discarded messages of a partition before they were read; each host's windows among them are counted as missing",
    'raise the stream with `sockflux setup nats --max-bytes`, or start more collectors',
  ),
  'ingest/gap': loss('messages', 'messages of a probe never came', 'see `queue/full` of that probe'),
  'ingest/incomplete': loss(
    'windows',
    'written without their end or without some of their rows; `probe:coverage` says which',
    'see `ingest/gap`, `ingest/window_ahead` and `queue/full` of that probe',
  ),
  'ingest/unfinished': loss(
    'rows',
    'of windows that a probe began and never ended',
    'see why that probe ended; it sends them again should it come back',
  ),
  'ingest/late': loss('rows', 'of windows that were written before', 'see `ingest/incomplete`'),
  'ingest/window_ahead': loss(
    'rows',
    'too many windows of one probe were open',
    'see `queue/full` of that probe',
  ),
  'ingest/groups': loss(
    'flows',
    'more containers, pods or processes in one window than the collector keeps: they are in `~other`',
    'spread the hosts over more collectors',
  ),
  'ingest/cgroup_id': loss(
    'rows',
    'a cgroup id beyond 2^53 cannot be distinguished from another',
    'report it, with the kernel version',
  ),
  'ingest/evicted': loss(
    'probes',
    'more runs of probes than the collector keeps: one of a connection that had more than a probe has, one that had sent hardly anything, or one that was silent made room for another',
    'see why probes are restarted so often, or who else sends to this collector',
  ),
  'ingest/unauthenticated': loss(
    'messages',
    'who sent them has not proved a key that is listed, or the key was withdrawn: they were not read',
    'see the log; list the key with `sockflux keys allow` if it is a probe of yours',
  ),
  'ingest/malformed_foreign_host': loss(
    'messages',
    'windows of a host that the key of their sender does not speak for, or of a host with a key that came without it',
    'find out who sends them; if it is right, `sockflux keys allow`',
  ),
  'ingest/malformed_sequence_jump': loss('messages', 'a sequence too far ahead of the last one', STRANGER),
  'ingest/malformed_window_jump': loss('messages', 'a window too far ahead of the last one', STRANGER),
  'ingest/unknown_record': loss('records', 'a record that this collector does not know', UPDATE),
  'ingest/malformed_layout': loss('records', 'a record without a column that is needed', UPDATE),
  'ingest/clock_ahead': loss(
    'windows',
    "the window ends more than ten minutes, or two intervals, ahead of the collector's clock: shown and not stored",
    'set the clocks of the host and of the collector with NTP',
  ),
  'ingest/clock_unset': loss(
    'windows',
    'the window ends before 2024: the clock of the host was never set; shown and not stored',
    'set the clock of the host with NTP',
  ),
  'ingest/malformed_too_many_probes': loss(
    'messages',
    'more runs of probes than the collector keeps',
    'see why probes are restarted so often, or spread the hosts over more collectors',
  ),
  'ingest/malformed_*': loss(
    'messages',
    'a message that is not as it should be, by what is wrong with it',
    STRANGER,
  ),
  'series/shared_hosts': loss(
    'windows',
    'two probes use one host name: the later one is stored as host `name~run`',
    'stop one of two probes on a machine, or give each machine a `--host` of its own',
  ),
  'series/shared_pods': loss(
    'samples',
    'pods of one name on several hosts are written over each other in profile ntopng',
    'give each host a `--listen` of its own, with its `,ifid=`',
  ),
  'series/beyond_max_series': loss(
    'samples',
    'a measurement has more series than `--max-series`: they are in `~other`, in profile ntopng not written',
    'raise `--max-series`',
  ),
  '*/dropped': loss(
    'samples',
    "the sink's queue was full: the oldest batches of the host that has most in it",
    'mend the sink (its log line says what it needs), or raise `--waiting-samples`',
  ),
  '*/spool_full': loss(
    'samples',
    'what waits on disk for this sink was larger than `--spool-size`: the oldest batches',
    'mend the sink (its log line says what it needs), or raise `--spool-size`',
  ),
  '*/spool_old': loss(
    'samples',
    'they waited on disk for longer than `--spool-age`',
    'mend the sink, or raise `--spool-age`',
  ),
  '*/spool_damaged': loss(
    'samples',
    'what waited on disk cannot be read: cut by a power failure, changed, or removed',
    'look at the disk of `--spool`',
  ),
  '*/not_finite': loss('samples', 'a value was not a finite number', 'report it'),
  'flows/full': loss(
    'flows',
    'more live flows than `--max-live-flows`: they count in every measurement and have no record',
    'raise `--max-live-flows`',
  ),
  'flows/ambiguous': loss(
    'flows',
    'more than two sockets could be the ends of one conversation: they are not joined',
    'none, if it stays rare: chance does it for TCP once in years, for UDP where a port is used again at once',
  ),
  'ipfix/dropped': loss(
    'records',
    'a collector of IPFIX was away, or slow, for so long that more waited than may: the oldest records',
    'start the collector at `--external-flow-collector-addr` or `--flow-collector-addr`, or raise `--ipfix-queue-size`',
  ),
  'ipfix/too_long': loss(
    'records',
    'names and labels made a record longer than a message of IPFIX can be',
    'shorten them, or take `--ipfix-format json` over TCP',
  ),
  'ipfix/incomplete': loss(
    'records',
    'sent with the numbers of one node only: the probe of the other has sent nothing about it for three periods',
    'see why the probe on that node is silent',
  ),
  'cluster/full': loss(
    'objects',
    'the cluster has more objects of a kind than are kept: names of the others are not known',
    'give the collector a part of the cluster: a service account that sees fewer namespaces',
  ),
  'cluster/bad_object': loss('objects', 'an object has no name, so it is not from Kubernetes', STRANGER),
  'cluster/unanswered': loss(
    'questions',
    'the API server refused, or did not answer: what is known of the cluster grows old',
    'see the log line; it says which right is missing, or why there was no connection',
  ),
  'cluster/unreadable': loss(
    'files',
    'a manifest, or the directory of `--cluster-from`, could not be read: what it said before is kept',
    'see the log line: it names the file and the place in it',
  ),
  'embedded/bad_time': loss(
    'samples',
    'the window ends at no time in seconds',
    "check the clock of the sample's host",
  ),
  'embedded/future': loss('samples', 'the window ends too far ahead', "set the clock of the sample's host"),
  'embedded/expired': loss(
    'samples',
    'the window is older than `--store-days`',
    "set the clock of the sample's host, or raise `--store-days`",
  ),
  'embedded/full': loss(
    'samples',
    'the files of today are larger than `--store-size`',
    'raise `--store-size`',
  ),
  'embedded/bad_samples': loss(
    'samples',
    'the store could not take them; the log line says why',
    'report it, with the log line',
  ),
  'influxdb/partial_write': loss(
    'samples',
    'InfluxDB stored the others and refused these; the log line has its words',
    'see the log line: mostly a field of another type or a point outside the retention policy',
  ),
  'influxdb/bad_request': loss(
    'samples',
    'InfluxDB refused the request; the log line has its words',
    'see the log line',
  ),
  'influxdb/too_large': loss(
    'samples',
    'one sample is larger than InfluxDB or a proxy takes',
    'raise its limit for a request',
  ),
  'influxdb/unreadable': loss('samples', 'the answer of InfluxDB could not be read', 'see the log line'),
  'influxdb/status_*': loss(
    'samples',
    'something that is not InfluxDB refused them, by HTTP status',
    'correct `--influx-url`, or the proxy before InfluxDB',
  ),
}

/** The row of the table that explains this reason; an exact one before one with `*`. */
export function lossOf(reason: string): Loss | undefined {
  if (Object.hasOwn(LOSSES, reason)) return LOSSES[reason]
  const pattern = Object.keys(LOSSES).find(pattern => {
    const [before = '', after] = pattern.split('*')
    return after !== undefined && reason.startsWith(before) && reason.endsWith(after)
  })
  return pattern === undefined ? undefined : LOSSES[pattern]
}

/** Nobody has to do anything about it. */
export const isHarmless = (reason: string): boolean =>
  /^nothing (to do|is lost)/.test(lossOf(reason)?.remedy ?? '')
