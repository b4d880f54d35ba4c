/** What the collector answers on its unix socket, of itself. */

import type { Counters } from '../counters.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Routes } from '../routes.ts'
import type { Writers } from '../sample/writers.ts'
import { peerRoutes } from '../view/peers.ts'
import type { Top } from './top.ts'

export const routesOf = (
  top: Top,
  flows: Parameters<typeof peerRoutes>[0],
  counters: Counters,
  writers: Writers,
  ledger: Ledger,
): Routes => ({
  'GET /top': async () => top.view(),
  'GET /stats': async () => counters.view(),
  'GET /ledger': async () => ledger.view(),
  ...peerRoutes(flows),
  'GET /series': async () => writers.series(),
})
