import type { DuckDBConnection } from '@duckdb/node-api'
import type { Day } from './day.ts'
import { identifier } from './instance.ts'

/** One view for each measurement over all days, so that `select * from "container:rtt"` sees them as one table. */
export class Views {
  readonly #connection: DuckDBConnection
  #definitions = new Map<string, string>()

  constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  get names(): string[] {
    return [...this.#definitions.keys()].sort()
  }

  /** Make the views fit the days; those that fit already are not touched. */
  async follow(days: Iterable<Day>): Promise<void> {
    const definitions = definitionsOf(days)
    for (const [name, sql] of definitions) {
      if (this.#definitions.get(name) !== sql)
        await this.#connection.run(`CREATE OR REPLACE VIEW ${viewOf(name)} AS ${sql}`)
    }
    for (const name of this.#definitions.keys()) {
      if (!definitions.has(name)) await this.#connection.run(`DROP VIEW ${viewOf(name)}`)
    }
    this.#definitions = definitions
  }
}

/** The columns are named one by one: a view over `*` becomes invalid as soon as a table gets one more. */
function definitionsOf(days: Iterable<Day>): Map<string, string> {
  const definitions = new Map<string, string>()
  for (const day of days) {
    for (const [table, columns] of day.tables) {
      const list = [...columns.keys()].map(identifier).join(', ')
      const select = `SELECT ${list} FROM ${identifier(day.name)}.main.${identifier(table)}`
      const before = definitions.get(table)
      definitions.set(table, before ? `${before} UNION ALL BY NAME ${select}` : select)
    }
  }
  return definitions
}

function viewOf(measurement: string): string {
  return `memory.main.${identifier(measurement)}`
}
