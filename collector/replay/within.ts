import type { Outlet } from '../sample/writer.ts'

/** Only what is of this time, in seconds since the epoch, both ends included. */
export const within = (
  outlet: Outlet,
  { from, to }: { readonly from: number; readonly to: number },
): Outlet => ({
  wants: outlet.wants,
  push(batch, done) {
    if (batch.time >= from && batch.time <= to) outlet.push(batch, done)
    else done()
  },
})
