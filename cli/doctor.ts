/** `sockflux doctor`: its flags. */

import { release } from 'node:os'
import type { Command } from 'commander'
import { checkProbe } from '../probe/check.ts'
import type { Env } from '../probe/doctor/check.ts'
import { examine } from '../probe/doctor/checks.ts'
import { exitCodeOf, screenOf } from '../probe/doctor/report.ts'
import type { Finding } from '../probe/kernel/finding.ts'
import { probeSettings } from '../probe/options.ts'
import { linkOf } from '../wire/settings/endpoint.ts'
import { natsAccessOf, natsSettings } from '../wire/settings/nats.ts'
import { type Check, inspectSettings } from '../wire/settings/read.ts'
import { addFlags, type Setting, type Settings, type Values } from '../wire/settings/settings.ts'

const TIMEOUT_MS = 3000
const {
  collector,
  containerdState,
  ociState,
  dockerRoot,
  kubeletLogs,
  criSocket,
  dockerSocket,
  podmanSocket,
} = probeSettings
const places = { containerdState, ociState, dockerRoot, kubeletLogs, criSocket, dockerSocket, podmanSocket }

/** The collector's settings that the doctor reads. */
interface CollectorSettings extends Settings {
  readonly socket: Setting<string>
  readonly influxUrl: Setting<string[]>
  readonly influxCa: Setting<string | undefined>
  readonly influxInsecure: Setting<boolean>
}

/** @param collectorSettings the collector's whole table, so that its keys in a file are accepted */
export function addDoctor(program: Command, collectorSettings: CollectorSettings): void {
  const command = program
    .command('doctor')
    .description('what works on this host, what does not, and what to do about it')
    .option('--json', 'print JSON')
    .option('--verbose', 'a line for each check')
  addFlags(command, 'probe', { collector, ...natsSettings, ...places })
  command.addHelpText(
    'after',
    "\nThe collector's socket and InfluxDB are taken from the environment or the file.\n" +
      'Exit code: 0 everything works, 1 the probe cannot run, 2 it runs with less.',
  )
  command.action(async flags => {
    const probe = read(probeSettings, 'probe', flags, checkProbe)
    const collector = read(collectorSettings, 'collector', { config: flags['config'] })
    const found = await examine(envOf(probe.values, collector.values))
    const findings = [...probe.findings, ...collector.findings, ...found]
    const verbose = flags['verbose'] === true
    process.stdout.write(
      flags['json'] ? `${JSON.stringify(findings, null, 2)}\n` : screenOf(findings, { verbose }),
    )
    process.exitCode = exitCodeOf(findings)
  })
}

function envOf(probe: Values<typeof probeSettings>, collector: Values<CollectorSettings>): Env {
  const { socket, influxUrl: urls, influxCa: ca, influxInsecure: insecure } = collector
  return {
    root: '/',
    release: release(),
    object: async () => (await import('../probe/kernel/load.ts')).objectPath(), // imported late: the addon may be missing
    collectors: probe.collector.map(text => (text.startsWith('nats://') ? text : linkOf(text).endpoint)),
    nats: natsAccessOf(probe),
    places: probe,
    socket,
    influx: urls.map(url => ({ url, ca, insecure })),
    timeoutMs: TIMEOUT_MS,
  }
}

/** Wrong settings are findings; the checks use the defaults instead. */
function read<S extends Settings>(
  settings: S,
  section: string,
  flags: Readonly<Record<string, unknown>>,
  check?: Check<S>,
): { values: Values<S>; findings: Finding[] } {
  const { values, problems, warnings } = inspectSettings(
    settings,
    section,
    flags,
    process.env,
    check && { check },
  )
  const finding = { name: 'settings', area: 'settings', remedy: `sockflux config check ${section}` }
  return {
    values,
    findings: [
      ...problems.map(found => ({ ...finding, ok: false, found })),
      ...warnings.map(found => ({ ...finding, ok: 'warn' as const, found })),
    ],
  }
}
