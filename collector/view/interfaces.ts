import type { Fold } from '../fold/fold.ts'
import type { InterfaceRow } from './rows.ts'

/** Network interfaces, in the order of their traffic. @param interval seconds */
export const interfacesOf = (fold: Fold, interval: number): InterfaceRow[] =>
  fold
    .flat('iface')
    .map(({ tags, numbers }): InterfaceRow => {
      const perSecond = (column: string) => (numbers[column] ?? 0) / interval
      const sum = (...columns: string[]) => columns.reduce((sum, column) => sum + (numbers[column] ?? 0), 0)
      return {
        id: tags['ifname'] ?? '',
        name: tags['ifname'] ?? '',
        sentPerSecond: perSecond('tx_bytes'),
        rcvdPerSecond: perSecond('rx_bytes'),
        packetsSentPerSecond: perSecond('tx_packets'),
        packetsRcvdPerSecond: perSecond('rx_packets'),
        errors: sum('tx_errors', 'rx_errors'),
        dropped: sum('tx_dropped', 'rx_dropped'),
        trend: [],
      }
    })
    .sort((a, b) => b.sentPerSecond + b.rcvdPerSecond - a.sentPerSecond - a.rcvdPerSecond)
