/** The live table: what `sockflux top` and `sockflux run` show. */

import type { TopHost, TopRow } from '../collector/serve/top.ts'
import { printable } from './printable.ts'

const COLUMNS = ['', 'name', 'pod', 'client', 'server', 'rtt ms', '± ms'] as const
const MOST_ROWS = 12

const milliseconds = (value: number | null): string =>
  value === null ? '-' : value.toFixed(value < 10 ? 3 : 1)

const cells = ({ id, name, pod, asClient, asServer, rtt, rttVariance }: TopRow): string[] => [
  printable(id),
  printable(name),
  printable(pod),
  String(asClient),
  String(asServer),
  milliseconds(rtt),
  milliseconds(rttVariance),
]

/** Who it is when its name does not say: `/usr/bin/wget, of bash, uid 33`. */
const program = ({ process }: TopRow): string =>
  process ? printable(`${process.exe || process.comm}, of ${process.parent_comm}, uid ${process.uid}`) : ''

function table(title: string, rows: readonly TopRow[], total: number): string[] {
  const shown = rows.slice(0, MOST_ROWS)
  const lines = [[title, ...COLUMNS.slice(1)], ...shown.map(cells)]
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  const programs = ['', ...shown.map(program)]
  const more = total > shown.length ? [`  … and ${total - shown.length} more`] : []
  return [
    ...lines.map((line, index) =>
      [
        ...line.map((cell, column) =>
          column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        ),
        programs[index],
      ]
        .join('  ')
        .trimEnd(),
    ),
    ...more,
  ]
}

/** @param hosts as `GET /top` answers */
export function screen(hosts: readonly TopHost[]): string {
  if (hosts.length === 0) return 'waiting for the end of the first window …\n'
  const parts = hosts.map(({ host, time, partial, containers, processes, total }) => {
    const at = new Date(time * 1000).toISOString().replace('.000Z', 'Z')
    const title = `${printable(host)}  window until ${at}${partial ? '  (the first, not a whole one: shown, not stored)' : ''}`
    return [
      title,
      '',
      ...table('CONTAINER', containers, total.containers),
      '',
      ...table('PROCESS', processes, total.processes),
      '',
    ].join('\n')
  })
  return parts.join('\n')
}
