/** The numbers of a record that add up, from their typedefs in `probe/bpf/types.h`. */

import type { Field } from '../layout.ts'

/** `delta`: the change in the window; `level`: the value at its end; `peak`: a level of which the largest counts. */
export type Kind = 'delta' | 'level' | 'peak'

export function kindOf({ typedef }: Pick<Field, 'typedef'>): Kind | undefined {
  if (typedef?.startsWith('delta_')) return 'delta'
  if (typedef?.startsWith('level_')) return 'level'
  return typedef?.startsWith('peak_') ? 'peak' : undefined
}
