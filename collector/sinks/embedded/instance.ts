import { lstatSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { BLOCK_BYTES, closeToOthers } from './files.ts'

/** 500 columns take 35 MB; the rest caches blocks of the files. */
const MEMORY_LIMIT = '128MB'
/** A query replays the log, and a segment keeps the log's rows in memory. */
const LOG_BYTES = '4MB'

/** For the writer and for queries: DuckDB fetches, loads and spills nothing by itself. */
export const ALONE: Readonly<Record<string, string>> = {
  threads: '1',
  // Spilled files are not part of the retention's size; a query that needs more memory fails instead.
  temp_directory: '',
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
}

/**
 * An instance in memory to which the segments are attached. It has no access outside the directory.
 * @throws if another process has the directory open.
 */
export async function openInstance(
  directory: string,
): Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> {
  const instance = await DuckDBInstance.create(':memory:', {
    ...ALONE,
    memory_limit: MEMORY_LIMIT,
    checkpoint_threshold: LOG_BYTES,
    default_block_size: String(BLOCK_BYTES),
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
  return { instance, connection }
}

/**
 * Node has no file locks, but DuckDB locks the files that it attaches (fcntl), and the kernel releases the lock when the
 * process dies. So an empty database beside the days locks the whole directory. Nothing else opens it: closing it anywhere
 * in this process would release the lock.
 */
async function lock(connection: DuckDBConnection, directory: string): Promise<void> {
  const path = join(resolve(directory), 'lock')
  const attach = () => connection.run(`ATTACH ${literal(path)} AS "lock"`)
  // DuckDB would wait for the other end of a FIFO, and follow a link
  for (const file of [path, `${path}.wal`]) {
    const stat = lstatSync(file, { throwIfNoEntry: false })
    if (stat?.isDirectory()) throw new Error(`${file} is a directory: remove it, or give another --store`)
    if (stat && !stat.isFile()) rmSync(file)
  }
  await attach().catch(async (error: Error) => {
    if (isLocked(error)) {
      const pid = /PID (\d+)/.exec(error.message)?.[1]
      throw new Error(
        `${directory} is open in another process${pid ? ` (${pid})` : ''}: stop it, or give each collector its own directory`,
      )
    }
    // It stores nothing: a damaged one is created again.
    rmSync(path, { force: true })
    rmSync(`${path}.wal`, { force: true })
    await attach()
  })
  closeToOthers(path)
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
