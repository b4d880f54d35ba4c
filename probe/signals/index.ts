/** All signals, in the order in which they are attached and their rings are read. */

import { accept } from './accept.ts'
import { health, listeners, timeouts } from './health.ts'
import { cgroupPath, process } from './names.ts'
import { netns } from './netns.ts'
import { resets } from './resets.ts'
import { olderRtt, rtt, rttLooks, rttProbe } from './rtt.ts'
import type { Signal } from './signal.ts'
import { tcp } from './tcp.ts'
import { udp, udpCalls, udpDrops, udpPackets } from './udp.ts'
import { uring } from './uring.ts'
import { use } from './use.ts'

export const SIGNALS: readonly Signal[] = [
  tcp,
  timeouts,
  health,
  listeners,
  use,
  accept, // after what it stands in for
  uring,
  netns,
  rttLooks,
  rttProbe,
  rtt,
  olderRtt,
  resets,
  udpCalls,
  udpPackets,
  udp,
  udpDrops,
  // names last: the kernel sends them before the rows that need them, so that they are in their ring when it is read
  cgroupPath,
  process,
]
