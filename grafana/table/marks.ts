/** Windows that are not whole: every dashboard marks them, so that a dip is not taken for less work. */

import { events, type Query } from './panel.ts'

export interface Mark {
  readonly title: string
  readonly query: Query
  readonly color: string
}

const by = ['host', 'stage', 'reason']

export const MARKS: readonly Mark[] = [
  {
    title: 'A probe had no whole window',
    query: events('probe:lost', 'count', { by, only: { stage: ['window'] } }),
    color: 'orange',
  },
  {
    title: 'Windows that did not arrive whole',
    query: events('collector:lost', 'count', {
      by,
      only: { stage: ['ingest'], reason: ['gap', 'incomplete', 'unfinished', 'late', 'window_ahead'] },
    }),
    color: 'red',
  },
]
