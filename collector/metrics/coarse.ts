/** What a field becomes when some windows are put together into one point: a minute, an hour. */

/**
 * `last`, of what rises; `mean`, over the windows that have a value; `max`, where the worst counts; `min`; `sum`, of what
 * is counted in each window anew.
 */
export const COARSE = ['last', 'mean', 'max', 'min', 'sum'] as const
export type Coarse = (typeof COARSE)[number]

interface Field {
  readonly type: 'gauge' | 'counter'
  readonly coarse?: Coarse
}

/** Of its row, or else `last` of a counter and `mean` of a gauge. */
export const coarseOf = ({ type, coarse }: Field): Coarse => coarse ?? (type === 'counter' ? 'last' : 'mean')
