/** The numbers of a record that add up, from their typedefs in `probe/bpf/types.h`. */

import type { Field } from '../layout.ts'

/** `delta`: the change in the window; `level`: the value at its end. */
export type Kind = 'delta' | 'level'

export function kindOf({ typedef }: Pick<Field, 'typedef'>): Kind | undefined {
  if (typedef?.startsWith('delta_')) return 'delta'
  return typedef?.startsWith('level_') ? 'level' : undefined
}
