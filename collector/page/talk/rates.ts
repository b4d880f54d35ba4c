import { carried, IN_WINDOW } from '../../flows/conversation.ts'
import type { FlowStore } from '../../flows/table/store.ts'

/** Payload of the last window, bytes per second; hosts may have windows of different lengths. */
export interface Rates {
  /** To the server. */
  readonly sentPerSecond: number
  /** To the client. */
  readonly rcvdPerSecond: number
}

export function ratesOf(store: FlowStore, client: number, server: number): Rates {
  const { bytes, revBytes } = carried(store, client, server, IN_WINDOW)
  return {
    sentPerSecond: bytes / store.runOf(client || server).interval,
    rcvdPerSecond: revBytes / store.runOf(server || client).interval,
  }
}
