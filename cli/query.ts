/** `sockflux query`: its flags. */

import type { Command } from 'commander'
import { collectorSettings } from '../collector/options.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { runQuery } from './client.ts'
import { Prompt } from './prompt/prompt.ts'

const { socket } = collectorSettings

export function addQuery(program: Command): void {
  const command = program
    .command('query')
    .description('query the embedded store of the running collector in SQL')
    .argument(
      '[sql]',
      'one SELECT; measurements are tables: select * from "container:num_flows"; without it a prompt asks for queries, or each line of the input is one',
    )
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV (RFC 4180)')
    .option('--from <day>', 'read no older day (UTC, 2026-01-02)')
    .option('--to <day>', 'read no later day')
  addFlags(command, 'collector', { socket })
  command.action(async (sql: string | undefined, flags: Readonly<Record<string, unknown>>) => {
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    const format = flags['json'] ? 'json' : flags['csv'] ? 'csv' : 'table'
    const [from, to] = [flags['from'], flags['to']]
    const { stdin, stdout, stderr, env } = process
    const query = { socket: values.socket, from, to, format, out: stdout, err: stderr } as const
    if (sql !== undefined) return runQuery({ ...query, sql })
    const prompt = new Prompt(query, stdin.isTTY === true && stdout.isTTY === true)
    if (!(await prompt.run(stdin, env))) throw new Error('a query had no answer, see above')
  })
}
