import type { DuckDBConnection } from '@duckdb/node-api'
import { Problem } from '../../routes.ts'

/**
 * Table functions that only read tables or make rows. All others are refused: `enable_logging()` and `checkpoint()` change
 * the process, `read_csv()` and similar ones read files.
 */
const tableFunctions = new Set([
  ...['range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree'],
  ...[
    'duckdb_tables',
    'duckdb_columns',
    'duckdb_views',
    'duckdb_functions',
    'duckdb_types',
    'duckdb_keywords',
  ],
  ...['pragma_table_info', 'pragma_show', 'pragma_version', 'pragma_database_size', 'duckdb_memory'],
])

/** Scalar functions with a side effect. */
const refusedFunctions = new Set(['write_log', 'sleep_ms', 'setseed', 'nextval', 'getenv'])

/**
 * Permits one SELECT (with DESCRIBE, SHOW and SUMMARIZE, which DuckDB treats as SELECTs), or EXPLAIN of one. The check uses
 * DuckDB's syntax tree, not the text. It is the second barrier: the instance itself has no access to files, network or
 * settings, and the query runs in a read-only transaction.
 * @throws {Problem} with what is not allowed, or DuckDB's message about the syntax.
 */
export async function permit(connection: DuckDBConnection, sql: string): Promise<void> {
  const select = sql.replace(/^\s*explain(\s+analyze)?\s+/i, '')
  const result = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [select])
  const tree = JSON.parse(String(result.getRows()[0]?.[0])) as Tree
  if (tree.error_type === 'parser') throw new Problem(400, `Parser Error: ${tree.error_message}`)
  if (tree.error)
    throw new Problem(403, 'only SELECT, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN are allowed here')
  if (tree.statements?.length === 0) throw new Problem(400, 'the query is empty')
  if (tree.statements?.length !== 1) throw new Problem(400, 'send one statement at a time')
  const refused = refusedIn(tree.statements)
  if (refused) throw new Problem(403, `the function ${refused}() is not allowed here`)
}

interface Tree {
  error: boolean
  error_type?: string
  error_message?: string
  statements?: unknown[]
}

interface Node {
  type?: unknown
  class?: unknown
  function_name?: unknown
  function?: { function_name?: unknown }
}

/** The first function in the tree that is not allowed. */
function refusedIn(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  const { type, class: kind, function_name, function: called } = node as Node
  const table = type === 'TABLE_FUNCTION' ? String(called?.function_name).toLowerCase() : undefined
  if (table !== undefined && !tableFunctions.has(table)) return table
  const scalar = kind === 'FUNCTION' ? String(function_name).toLowerCase() : undefined
  if (scalar !== undefined && refusedFunctions.has(scalar)) return scalar
  for (const child of Object.values(node)) {
    const refused = refusedIn(child)
    if (refused) return refused
  }
  return undefined
}
