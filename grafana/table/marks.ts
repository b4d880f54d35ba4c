/** Windows that are not whole: every dashboard marks them, so that a dip is not taken for less work. */

import { events, mean, type Query } from './panel.ts'

export interface Mark {
  readonly title: string
  readonly query: Query
  /** Only values below it are marked, in units of the samples; else each time that a sparse counter rose. */
  readonly below?: number
  readonly color: string
}

const by = ['host', 'stage', 'reason']

export const MARKS: readonly Mark[] = [
  {
    title: 'A window did not come whole',
    query: mean('probe:coverage', 'windows', { by: ['host'] }),
    below: 100,
    color: 'red',
  },
  {
    title: 'A probe had no whole window',
    query: events('probe:lost', 'count', { by, only: { stage: ['window'] } }),
    color: 'orange',
  },
  {
    title: 'A collector missed messages of a probe',
    query: events('collector:lost', 'count', {
      by,
      only: { stage: ['ingest'], reason: ['gap', 'incomplete', 'unfinished', 'late', 'window_ahead'] },
    }),
    color: 'yellow',
  },
]
