/**
 * What is kept of a flow: one conversation, seen from one local socket. A row of 256 bytes: first numbers of 32 bits, then
 * numbers of 64 bits, whose places are counted in numbers of 64 bits from the start of the row.
 */

/** Places of numbers of 32 bits. */
export const WORD = {
  /** `tcp_flow.socket`: lower and upper word. */
  SOCKET: 0,
  SOCKET_HIGH: 1,
  /** The pair of initial sequence numbers, the smaller one first, or of UDP what `join/udp.ts` says; both 0: not known. */
  IDENTITY: 2,
  IDENTITY_HIGH: 3,
  /** Addresses as in the row, four words each. */
  LOCAL: 4,
  REMOTE: 8,
  /** local << 16 | remote. */
  PORTS: 12,
  NETNS: 13,
  /** Places in `Runs`, `Places` and `Programs`. */
  RUN: 14,
  PLACE: 15,
  PROGRAM: 16,
  PID: 17,
  /** protocol | family << 8 | role << 16 | state << 24. */
  KIND: 18,
  /** `MARK`. */
  MARKS: 19,
  /** The smoothed round trip and its deviation, the shortest sample, and how many samples; microseconds. */
  RTT: 20,
  RTT_VAR: 21,
  RTT_MIN: 22,
  RTT_SAMPLES: 23,
  /** From SYN_SENT to ESTABLISHED, microseconds; 0: not seen. */
  CONNECT: 24,
  /** Segments taken for lost, at the window's end. */
  LOST: 25,
  RESENT: 26,
  /** Since the window before: only of the window in WINDOW. */
  WINDOW_RESENT: 27,
  WINDOW_SENT: 28,
  WINDOW_RCVD: 29,
  /** Index of the last window that had a row of it, + 1. */
  WINDOW: 30,
  /** The flow of the other end; 0: none. */
  PEER: 31,
  /** Links of lists and chains; 0: none. */
  NEXT_OF_RUN: 32,
  PREVIOUS_OF_RUN: 33,
  NEXT_CLOSED: 34,
  NEXT_BY_SOCKET: 35,
  NEXT_BY_IDENTITY: 36,
  /** Seconds since the epoch of its last record or, without one, of the end of its first window; 0: that has not come. */
  RECORDED: 37,
  /** Packets in its last record, as the conversation counts them. */
  RECORDED_PACKETS: 38,
  RECORDED_REV_PACKETS: 39,
  /** Label of the window in which it closed, seconds since the epoch; and when that was seen, seconds that only rise. 0: not yet. */
  ENDED: 40,
  ENDED_SEEN: 41,
  PREVIOUS_BY_SOCKET: 42,
  PREVIOUS_BY_IDENTITY: 43,
} as const

/** Places of numbers of 64 bits. */
export const NUMBER = {
  /** CLOCK_BOOTTIME of its host, milliseconds. CLOSED is 0 while it is open. */
  OPENED: 22,
  CLOSED: 23,
  /** Payload, and TCP segments or datagrams, since the flow is known. */
  BYTES_SENT: 24,
  BYTES_RCVD: 25,
  PACKETS_SENT: 26,
  PACKETS_RCVD: 27,
  WINDOW_BYTES_SENT: 28,
  WINDOW_BYTES_RCVD: 29,
  /** Bytes in its last record, as the conversation counts them. */
  RECORDED_BYTES: 30,
  RECORDED_REV_BYTES: 31,
} as const

/** Bits of MARKS. The lowest eight are `enum flow_flags` of its last row. */
export const MARK = {
  FLOW_FLAGS: 0xff,
  /** A row with its addresses has come. */
  ADDRESSED: 1 << 8,
  /** It began before the collector or the probe knew it: its totals are those since then. */
  PARTIAL: 1 << 9,
  /** Its probe is gone: it may go on, and nobody sees it. */
  ABANDONED: 1 << 10,
  /** Its pair of initial sequence numbers was in use by two other sockets: it is not joined. */
  AMBIGUOUS: 1 << 11,
  /** Its pair of sequence numbers was told with FLOW_EITHER. */
  EITHER: 1 << 12,
  /** The record of its conversation's end is made. */
  RECORDED: 1 << 13,
  /** UDP: its receiver does not ask who sent, and so its peer is not known. */
  UNNAMED: 1 << 14,
} as const

export const ROW_BYTES = 256
export const ROW_WORDS = ROW_BYTES / 4
export const ROW_NUMBERS = ROW_BYTES / 8
