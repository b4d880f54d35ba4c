/** The subcommands. Each is loaded when it is called, so that the collector loads the probe's addon only to talk to systemd. */

import { Command } from 'commander'

const PARTS: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  run: async program => (await import('./run.ts')).addRun(program),
  probe: async program => (await import('../probe/main.ts')).addProbe(program),
  collector: async program => (await import('../collector/main.ts')).addCollector(program),
  page: async program => (await import('./page.ts')).addPage(program),
  top: async program => (await import('./top/command.ts')).addTop(program),
  query: async program => (await import('./query.ts')).addQuery(program),
  replay: async program => (await import('./replay.ts')).addReplay(program),
  flows: async program => (await import('./flows/flows.ts')).addFlows(program),
  ledger: async program => (await import('./ledger.ts')).addLedger(program),
  spool: async program => (await import('./spool.ts')).addSpool(program),
  config: async program => (await import('./config.ts')).addConfig(program),
  keys: async program => (await import('./keys.ts')).addKeys(program),
  setup: async program => (await import('./setup/setup.ts')).addSetup(program),
  metrics: async program => (await import('./metrics.ts')).addMetrics(program),
  doctor: async program =>
    (await import('./doctor.ts')).addDoctor(
      program,
      (await import('../collector/options.ts')).collectorSettings,
    ),
}

/** @param wanted one subcommand; all of them if there is none of that name */
export async function commands(wanted = ''): Promise<Command> {
  const program = new Command('sockflux')
    .description(
      'Network flows, round-trip times and traffic per container and pod, from the kernel to InfluxDB',
    )
    // beside the longest flag 34 of 80 columns are left: commander would not wrap there
    .configureHelp({ minWidthToWrap: 30 })
    .showHelpAfterError('(run with --help for usage)')
  const parts = Object.hasOwn(PARTS, wanted) ? [PARTS[wanted]!] : Object.values(PARTS)
  for (const add of parts) await add(program)
  return program
}
