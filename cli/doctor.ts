/** `sockflux doctor`: its flags. */

import { release } from 'node:os'
import type { Command } from 'commander'
import type { Env, Finding } from '../probe/doctor/check.ts'
import { examine } from '../probe/doctor/checks.ts'
import { exitCodeOf, screenOf } from '../probe/doctor/report.ts'
import { probeSettings } from '../probe/options.ts'
import {
  addFlags,
  readSettings,
  type Setting,
  SettingError,
  type Settings,
  type Values,
} from '../wire/settings/settings.ts'

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

/** What the doctor must know of the collector's settings. */
interface CollectorSettings extends Settings {
  readonly socket: Setting<string>
  readonly influxUrl: Setting<string | undefined>
  readonly influxCa: Setting<string | undefined>
  readonly influxInsecure: Setting<boolean>
}

/** @param collectorSettings the collector's whole table, so that its keys in the file are known */
export function addDoctor(program: Command, collectorSettings: CollectorSettings): void {
  const command = program
    .command('doctor')
    .description('what works on this host, what does not, and what to do about it')
    .option('--json', 'print JSON')
  addFlags(command, 'probe', { collector, ...places })
  command.addHelpText(
    'after',
    "\nThe collector's socket and InfluxDB are taken from the environment or the file.\n" +
      'Ends with 0 when all is well, 1 when the probe cannot run, 2 when it runs with less.',
  )
  command.action(async flags => {
    const settings = [
      read(probeSettings, 'probe', flags),
      read(collectorSettings, 'collector', { config: flags['config'] }),
    ] as const
    const wrong = settings.flatMap(({ finding }) => finding ?? [])
    const findings = [...wrong, ...(await examine(envOf(settings[0].values, settings[1].values)))]
    process.stdout.write(flags['json'] ? `${JSON.stringify(findings, null, 2)}\n` : screenOf(findings))
    process.exitCode = exitCodeOf(findings)
  })
}

function envOf(probe: Values<typeof probeSettings>, collector: Values<CollectorSettings>): Env {
  const { socket, influxUrl: url, influxCa: ca, influxInsecure: insecure } = collector
  return {
    root: '/',
    release: release(),
    object: async () => (await import('../probe/kernel/kernel.ts')).objectPath(), // late: its addon may be what is missing
    collectors: probe.collector,
    places: probe,
    socket,
    ...(url !== undefined && { influx: { url, ca, insecure } }),
    timeoutMs: TIMEOUT_MS,
  }
}

/** Wrong settings are a finding; the rest is looked at with the defaults. */
function read<S extends Settings>(
  settings: S,
  section: string,
  flags: Readonly<Record<string, unknown>>,
): { values: Values<S>; finding?: Finding } {
  try {
    return { values: readSettings(settings, section, flags, process.env) }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    const finding = {
      name: 'settings',
      ok: false,
      found: error.message,
      remedy: `sockflux ${section} --help`,
    }
    return { values: readSettings(settings, section, {}, {}), finding }
  }
}
