/**
 * Writes `docs/METRICS.md`: each measurement with tags, fields, type, unit and meaning, from the tables beside this file.
 *
 *     node collector/metrics/generate.ts [--check]
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOSSES } from '../../wire/losses.ts'
import { catalogue, metricsOf } from './catalogue.ts'
import { described } from './describe.ts'
import { GROUPS, OPT_IN } from './metric.ts'

export const target = join(import.meta.dirname, '../../docs/METRICS.md')

const HEAD = `# Measurements

Written by \`make generate\` from the tables in \`collector/metrics\`. \`sockflux metrics\` prints the same.

Every field is a float. Timestamps are in seconds and are the end of a window. A **counter** rises since the collector started, the first
window of a probe's run included. It begins again at 0 when the collector restarts (with NATS it goes on), or when its series was
silent for five minutes, \`*:lost\` for a day. A **gauge** is of the window alone. A field that was not measured is not written.

The first tag is the subject; the others add no series unless a name changes. What is not known is left out. \`label_*\` are the labels
that \`--label\` of the probe or \`--cluster-label\` of the collector names. Tags have no addresses, and no ports but those of Services. A measurement has at most
\`--max-series\` series, or as many as there are hosts where a host has only one. What is beyond them is in the subject
\`~other\` of its host.

Groups are switched by \`--metrics\`: ${GROUPS.map(group => `\`${group}\``).join(', ')}. All but ${OPT_IN.map(group => `\`${group}\``).join(', ')} are on.
\`--metrics\` lists all that are wanted, so give it the defaults as well.
\`--profile ntopng\` writes these and no others, with the tags \`ifid\` and \`container\` or \`pod\`, and has no \`~other\`:
what is beyond \`--max-series\` is counted only. Pods of one name on several hosts are written over each other, which is
counted, unless each host has an \`ifid\` of its own.

${metricsOf('ntopng', [])
  .map(({ name }) => `- ${name}`)
  .join('\n')}

## Coarser series

Where \`sockflux setup influxdb\` has set InfluxDB 1.x or 2.x up, each measurement is also there by the minute and by the hour, with the
same names, tags and fields, in retention policies of their own. A point is computed from all windows whose time is in its minute or
hour, and its time is where that begins; the column *coarser* says how:

- \`last\`: a counter keeps its last value. Rates over coarser series are right but for a restart: what was counted between the
  last window before it and the end of that minute or hour is not seen.
- \`mean\`: a gauge is the mean of the windows that have a value, each with the same weight, also where the field is itself a mean.
- \`max\`: a quantile is the largest of the windows: a quantile of the whole hour cannot be had from quantiles, and lies at or
  below it.
- \`min\`, \`sum\`: the smallest; the sum of what is counted in each window anew.

Both are computed from the windows, not the hour from the minutes. [influxdb.md](influxdb.md) says how long each is kept.

## Prometheus

With \`--prometheus <address:port>\` the collector answers \`GET /metrics\` with the last window of each host, in base units:
seconds, bytes, and ratios from 0 to 1. Tags are labels, and \`as_client\` and \`as_server\` are the label \`role\`. The steps
of a histogram double from 16 us to 67 s; it rises as a counter does. The groups are those of \`--metrics\` also with
\`--profile ntopng\`.

A series that is not in the last window of its host has ended, and so has a host that sent nothing for two windows. Those of
\`probe:lost\` and \`collector:lost\` stay as long as their host. Where the scraped target has labels \`pod\`, \`container\` or
\`namespace\` of its own, scrape it with \`honor_labels: true\`.

\`/healthz\` answers 200 while the collector runs. \`/readyz\` answers 200 while it listens for probes, no sink's queue is
full and no sink reports a fault, else 503 with the reason.
`

const LOST = `## What is lost, and what to do

The tags \`stage\` and \`reason\` of \`probe:lost\` and \`collector:lost\`; \`*\` stands for any word. \`queue/*\` are counted once
for each collector that was to have them. The reasons of \`window\` and \`kernel/close_missed\` are no losses of flows: they say
which windows are not as they should be.

| stage/reason | counts | meaning | what to do |
|---|---|---|---|
`

const losses = (): string =>
  Object.entries(LOSSES)
    .map(([reason, { unit, means, remedy }]) => `| \`${reason}\` | ${unit} | ${means} | ${remedy} |\n`)
    .join('')

export function generate(): string {
  const sections = catalogue.map(described).map(({ measurement, group, tags, help, fields, histogram }) => {
    const rows = fields.map(
      ({ name, type, unit, coarse, prometheus, help }) =>
        `| ${name} | ${type} | ${unit} | ${coarse} | \`${prometheus}\` | ${help} |`,
    )
    return [
      `## ${measurement}`,
      '',
      `${help[0]!.toUpperCase()}${help.slice(1)}. Group \`${group}\`; tags ${tags.join(', ')}.`,
      '',
      '| field | type | unit | coarser | Prometheus | meaning |',
      '|---|---|---|---|---|---|',
      ...rows,
      ...(histogram ? ['', `All values, in Prometheus only: histogram \`${histogram}\`.`] : []),
      '',
    ].join('\n')
  })
  return [HEAD, ...sections, LOST + losses()].join('\n')
}

if (import.meta.main) {
  const text = generate()
  if (process.argv.includes('--check')) {
    if (readFileSync(target, 'utf8') !== text)
      throw new Error('docs/METRICS.md is stale: run `npm run generate`')
  } else writeFileSync(target, text)
}
