/** What charts ask of a sink that stores: lines over time, each from one field of one measurement. */

/** What is made of one series in a step. */
export type Calc =
  | 'mean' // of a gauge that adds up
  | 'max' // of a quantile
  | 'rate' // of a counter, per second

export interface LineQuestion {
  readonly name: string
  readonly measurement: string
  readonly field: string
  readonly calc: Calc
  /** What is made of all series. */
  readonly over: 'sum' | 'max'
  /** Tags, and the value that each must have. */
  readonly only: Readonly<Record<string, string>>
}

export interface HistoryQuestion {
  readonly lines: readonly LineQuestion[]
  /** Seconds since the epoch, multiples of the step. */
  readonly from: number
  readonly to: number
  /** Seconds. */
  readonly step: number
}

/** One point: the name of its line, the beginning of its step in seconds since the epoch, its value. */
export type HistoryPoint = readonly [line: string, at: number, value: number]

/** @throws {Problem} with what the store said */
export type HistorySource = (question: HistoryQuestion, gone: AbortSignal) => Promise<HistoryPoint[]>
