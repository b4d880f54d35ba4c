/** The settings of `sockflux setup influxdb`, besides those of the collector's InfluxDB. */

import { optional } from '../../collector/sinks/descriptor.ts'
import { setting } from '../../wire/settings/settings.ts'
import { text, yesNo } from '../../wire/settings/types.ts'
import { keep, keepOrOff, late } from './duration.ts'
import { moment } from './moment.ts'

export const setupSettings = {
  keepRaw: setting({
    type: keep(),
    fallback: '30d',
    value: '<time>',
    help: 'how long the windows themselves are kept; infinite is for ever',
  }),
  keepMinutes: setting({
    type: keepOrOff(),
    fallback: '180d',
    value: '<time>',
    help: 'how long one point a minute is kept; off makes none (1.x, 2.x)',
  }),
  keepHours: setting({
    type: keepOrOff(),
    fallback: '730d',
    value: '<time>',
    help: 'how long one point an hour is kept; off makes none (1.x, 2.x)',
  }),
  lateBy: setting({
    type: late(),
    fallback: '2h',
    value: '<time>',
    help: 'windows that are stored at most this late, after an outage, are still taken into minutes and hours; for longer ones there is --backfill',
  }),
  shorten: setting({
    type: yesNo(),
    fallback: false,
    help: 'allow a shorter retention to delete what is older',
  }),
  credentials: optional({
    type: text(),
    value: '<directory>',
    help: 'make a login that may only write and one that may only read (1.x, 2.x), and put their passwords or tokens into files there, with mode 0600',
  }),
  backfill: optional({
    type: moment(),
    value: '<time>',
    help: 'afterwards compute minutes and hours again from this time on: 3d (ago), 2026-01-31 or 2026-01-31T08:00:00Z',
  }),
  backfillTo: optional({ type: moment(), value: '<time>', help: 'and up to this time; default: now' }),
  dryRun: setting({ type: yesNo(), fallback: false, help: 'print what would be done, and do nothing' }),
}
