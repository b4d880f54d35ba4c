/** `sockflux query` without a query: asks for one after the other. */

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { type QueryFrom, runQuery } from '../client.ts'
import { type Format, formats } from '../format.ts'
import { printable } from '../printable.ts'
import { complete, known, type Tables } from './completion.ts'
import { historyFile, readHistory, remember } from './history.ts'

const PROMPT = 'sockflux> '
const MORE = '       -> '
const HELP = `A query is one SELECT in SQL (DuckDB); a line that ends with \\ goes on in the next one.

  from "container:num_flows" order by time desc limit 9
  select container_name, max(p95) from "container:rtt_dist" group by all order by 2 desc
  show tables

  Tab        completes measurements, fields and words
  ↑ ↓        earlier queries
  .tables    measurements;  .columns NAME  the fields of one
  .table .json .csv   how answers are printed
  .help      this text
  .quit      ends it, as Ctrl-D does
`

type Command = (words: readonly string[]) => string

export class Prompt {
  readonly #query: Omit<QueryFrom, 'format'>
  readonly #isTerminal: boolean
  #format: Format
  #tables: Tables = known
  #failed = false

  constructor({ format, ...query }: QueryFrom, isTerminal: boolean) {
    this.#query = query
    this.#format = format
    this.#isTerminal = isTerminal
  }

  /** Until the input ends. @returns whether every query was answered */
  async run(input: NodeJS.ReadableStream, env: NodeJS.ProcessEnv): Promise<boolean> {
    const file = historyFile(env)
    if (this.#isTerminal) await this.#learn()
    const lines = createInterface({
      input,
      ...(this.#isTerminal && {
        ...{ output: process.stdout, prompt: PROMPT, history: readHistory(file), historySize: 1000 },
        completer: (line: string) => complete(line, this.#tables),
      }),
    })
    if (this.#isTerminal)
      process.stdout.write('Queries in SQL. .help says more, Tab completes, Ctrl-D ends.\n')
    lines.on('SIGINT', () => {
      // as in a shell: what was typed is dropped
      process.stdout.write('\n')
      begun = ''
      lines.setPrompt(PROMPT)
      lines.prompt()
    })
    let begun = ''
    if (this.#isTerminal) lines.prompt()
    for await (const line of lines) {
      const text = begun + line
      begun = text.endsWith('\\') ? `${text.slice(0, -1)}\n` : ''
      lines.setPrompt(begun === '' ? PROMPT : MORE)
      if (begun === '' && text.trim() !== '') {
        if (this.#isTerminal && !text.includes('\n')) remember(file, text)
        if (!(await this.#answer(text.trim().replace(/;$/, '')))) break
      }
      if (this.#isTerminal) lines.prompt()
    }
    lines.close()
    if (this.#isTerminal) process.stdout.write('\n')
    return this.#isTerminal || !this.#failed
  }

  /** @returns false to end */
  async #answer(text: string): Promise<boolean> {
    if (text === '.quit' || text === '.exit') return false
    try {
      if (!text.startsWith('.')) await runQuery({ ...this.#query, sql: text, format: this.#format })
      else this.#query.out.write(this.#obey(text))
    } catch (error) {
      this.#failed = true
      this.#query.err.write(`${(error as Error).message}\n`)
    }
    return true
  }

  #obey(text: string): string {
    const [name = '', ...words] = text.slice(1).split(/\s+/)
    const commands: Readonly<Record<string, Command>> = {
      help: () => HELP,
      tables: () => `${[...this.#tables.keys()].sort().map(printable).join('\n')}\n`,
      columns: ([table = '']) => this.#columns(table.replaceAll('"', '')),
      ...Object.fromEntries(
        Object.keys(formats).map(format => [
          format,
          () => {
            this.#format = format as Format
            return ''
          },
        ]),
      ),
    }
    if (!Object.hasOwn(commands, name)) throw new Error(`there is no .${name}: .help shows what there is`)
    return commands[name]!(words)
  }

  #columns(table: string): string {
    const columns = this.#tables.get(table)
    if (!columns) throw new Error(`there is no measurement ${printable(table)}: .tables shows them`)
    return `${columns.map(printable).join('\n')}\n`
  }

  /** Measurements and fields of the store itself. Without an answer those of this version are enough. */
  async #learn(): Promise<void> {
    let text = ''
    const out = collect(chunk => {
      text += chunk
    })
    try {
      const sql = 'select table_name, column_name from information_schema.columns order by ordinal_position'
      await runQuery({ ...this.#query, sql, format: 'json', out, err: collect(() => {}) })
      const rows = JSON.parse(text) as { table_name: string; column_name: string }[]
      const tables = Map.groupBy(rows, row => row.table_name)
      if (tables.size > 0)
        this.#tables = new Map([...tables].map(([name, rows]) => [name, rows.map(row => row.column_name)]))
    } catch {
      // the first query says what is wrong
    }
  }
}

/** A place to print to. */
const collect = (write: (text: string) => void) =>
  new Writable({
    write(chunk, _, done) {
      write(String(chunk))
      done()
    },
  })
