import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** Enough for a host's windows; queries share it. */
const MEMORY_LIMIT = '128MB'

/**
 * DuckDB in memory, to which the files of the days are attached, locked down before anybody's query runs: no file
 * outside the directory, no network, no extensions, and no way to change that.
 * @throws when another process has the directory open.
 */
export async function openInstance(directory: string): Promise<DuckDBInstance> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    threads: '1',
    // Spilling would fill the disk behind the retention's back; a query that needs more memory fails instead.
    temp_directory: '',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    await connection.run(`SET allowed_directories = [${literal(`${resolve(directory)}/`)}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    await lock(connection, directory)
  } catch (error) {
    connection.closeSync()
    instance.closeSync()
    throw error
  }
  connection.closeSync()
  return instance
}

/**
 * Node has no file locks, but DuckDB locks what it attaches (fcntl) and the kernel takes the lock back when the process
 * dies. So an empty database beside the days stands for the whole directory.
 */
async function lock(connection: DuckDBConnection, directory: string): Promise<void> {
  const path = join(resolve(directory), 'lock')
  const attach = () => connection.run(`ATTACH ${literal(path)} AS "lock"`)
  await attach().catch(async (error: Error) => {
    if (isLocked(error)) {
      const pid = /PID (\d+)/.exec(error.message)?.[1]
      throw new Error(
        `${directory} is open in another process${pid ? ` (${pid})` : ''}: stop it, or give each collector a directory of its own`,
      )
    }
    // Nothing is stored in it: a damaged one is made again.
    rmSync(path, { force: true })
    rmSync(`${path}.wal`, { force: true })
    await attach()
  })
}

export function isLocked(error: Error): boolean {
  return /Could not set lock on file/.test(error.message)
}

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
