/** The files that a query reads. DuckDB lets no other process open a file that is being written. */

import { constants, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isReadable, isRegular, pathOf, segmentsIn } from './files.ts'

const COPIES = 'sockflux-query-'

/** The files of one query, the oldest first; copies of those that are being written. */
export interface Loan {
  readonly files: readonly string[]
  /** Releases the files and removes the copies. */
  release(): void
}

/** UTC days, `2026-01-02`, both included. */
export interface Days {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

export class Lending {
  readonly #directory: string
  /** Queries that read a file. It is not opened for writing until they end. */
  readonly #lent = new Map<string, number>()

  constructor(directory: string) {
    this.#directory = directory
  }

  isLent(path: string): boolean {
    return this.#lent.has(path)
  }

  /**
   * Copies are consistent: nothing is written meanwhile. A copy is at most as large as a segment may be, and takes no space
   * if the file system shares blocks (XFS, Btrfs).
   * @param written the segments that are open
   */
  async lend(written: ReadonlySet<string>, { from = '', to = '~' }: Days): Promise<Loan> {
    const copies: string[] = []
    const files: string[] = []
    const asTheyAre: string[] = []
    const release = () => {
      for (const place of copies.splice(0)) rmSync(place, { recursive: true, force: true })
      for (const path of asTheyAre.splice(0)) this.#countDown(path)
    }
    try {
      for (const { name, day } of segmentsIn(this.#directory)) {
        if (day < from || day > to) continue
        const path = pathOf(this.#directory, name)
        // a FIFO would hold the query, and a copy of it the store
        if (!(written.has(name) ? isRegular : isReadable)(path)) continue
        if (written.has(name)) files.push(await this.#copy(name, copies))
        else {
          this.#lent.set(path, (this.#lent.get(path) ?? 0) + 1)
          asTheyAre.push(path)
          files.push(path)
        }
      }
    } catch (error) {
      release()
      throw new Error(
        `a query needs a copy of the segment that is being written: ${(error as Error).message}`,
      )
    }
    return { files, release }
  }

  /** Removes the copies that a killed process left. */
  clear(): void {
    for (const name of readdirSync(this.#directory))
      if (name.startsWith(COPIES)) rmSync(join(this.#directory, name), { recursive: true, force: true })
  }

  /** Beside the store, or in the directory for temporary files if that disk is full. */
  async #copy(name: string, copies: string[]): Promise<string> {
    const path = pathOf(this.#directory, name)
    const copyTo = async (parent: string) => {
      const place = mkdtempSync(join(parent, COPIES)) // mode 0700
      copies.push(place)
      const copy = pathOf(place, name)
      await copyFile(path, copy, constants.COPYFILE_FICLONE)
      const log = `${path}.wal`
      if (isRegular(log)) await copyFile(log, `${copy}.wal`, constants.COPYFILE_FICLONE)
      return copy
    }
    return copyTo(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error
      return copyTo(tmpdir())
    })
  }

  #countDown(path: string): void {
    const left = this.#lent.get(path)! - 1
    if (left > 0) this.#lent.set(path, left)
    else this.#lent.delete(path)
  }
}
