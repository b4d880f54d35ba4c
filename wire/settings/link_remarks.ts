/** What both programs say of an endpoint. */

import type { Link } from './endpoint.ts'
import type { Remark } from './read.ts'

/** @param where the setting was given */
export const plainWarning = (where: string, { endpoint }: Link): Remark => ({
  warning: true,
  text: `${where}: ${endpoint} is plain text, and every user of this machine can listen or connect there: use ipc:///path, or write ${endpoint},curve with keys or ${endpoint},plain`,
})

/** What a reader throws, as a problem of a setting. */
export function thrownBy(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
