/** Which numbers of a record add up, told by their typedefs in `probe/bpf/types.h`. */

import type { Field } from '../layout.ts'

/** `delta`: what happened in the window; `level`: what there is at its end. */
export type Kind = 'delta' | 'level'

export function kindOf({ typedef }: Pick<Field, 'typedef'>): Kind | undefined {
  if (typedef?.startsWith('delta_')) return 'delta'
  return typedef?.startsWith('level_') ? 'level' : undefined
}
