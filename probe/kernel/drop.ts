/** Gives up what only the start needs. */

import { keepCapabilities } from 'bcc-bindings'
import { afterScan } from './privileges.ts'

/**
 * For ever, in every thread, and in all that this process may start.
 * @throws with the remedy when a thread would still have more: the probe must not run then
 */
export function dropPrivileges(): void {
  try {
    keepCapabilities(afterScan({ root: '/' }))
  } catch (error) {
    throw new Error(
      `the privileges of the start cannot be dropped (${(error as Error).message}): let the seccomp profile or the security module allow capset(2) and prctl(2)`,
    )
  }
}
