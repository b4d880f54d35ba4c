import type { Settings } from '../wire/settings/settings.ts'
import { unknownVariables } from '../wire/settings/variables.ts'

const TABLES: Readonly<Record<string, () => Promise<Settings>>> = {
  probe: async () => (await import('../probe/options.ts')).probeSettings,
  collector: async () => (await import('../collector/options.ts')).collectorSettings,
  setup: async () => ({
    ...(await import('../collector/options.ts')).collectorSettings,
    ...(await import('./setup/options.ts')).setupSettings,
    ...(await import('./setup/grafana/options.ts')).grafanaSettings,
    ...(await import('./setup/nats/options.ts')).natsSetupSettings,
  }),
  replay: async () => ({
    ...(await import('../collector/options.ts')).collectorSettings,
    ...(await import('./replay.ts')).replaySettings,
  }),
}

/** The settings of all commands: they may share one environment. */
export const everySetting = (): Promise<Settings[]> =>
  Promise.all(Object.values(TABLES).map(table => table()))

/**
 * Variables like ours that no command reads.
 * @param program its own table is read first: the other one is seldom needed and takes memory
 */
export async function mistypedVariables(program: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const own = TABLES[program]
  if (own === undefined || unknownVariables(env, [await own()]).length === 0) return []
  return unknownVariables(env, await everySetting())
}
