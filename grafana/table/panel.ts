/**
 * A row of the tables of panels. The emitters in `query/` and `write/` read these rows; nobody writes a query by hand.
 * Measurements and fields are those of the metric tables: another name does not compile.
 */

import type { Fields } from '../../collector/metrics/catalogue.ts'
import type { Dialect } from '../datasource.ts'

export type Measurement = keyof Fields

/** What is made of one series' values in an interval. */
export type Calc =
  | 'mean' // of a gauge
  | 'max' // of a quantile
  | 'last' // the level at the end
  | 'rate' // of a counter, per second
  | 'increase' // of a counter, in the interval
  | 'events' // windows in which a sparse counter rose; its increase in Prometheus
/** What is made of several series. */
export type Over = 'sum' | 'max' | 'mean'

/** Tags that a dashboard has a variable for. */
export const FILTERS = ['host', 'namespace', 'pod', 'container'] as const
export type Filter = (typeof FILTERS)[number]

/** By tag, the values that are wanted, or not wanted. */
export type Values = Readonly<Record<string, readonly string[]>>

export interface Query {
  readonly measurement: Measurement
  readonly field: string
  readonly calc: Calc
  readonly over: Over
  /** Tags; a line for each of their values. */
  readonly by: readonly string[]
  readonly only: Values
  readonly except: Values
  /** `{{tag}}` stands for a tag's value. The column's head in a table. */
  readonly legend: string
}

type More = Partial<Pick<Query, 'by' | 'only' | 'except' | 'legend' | 'over'>>

const of =
  (calc: Calc, over: Over) =>
  <M extends Measurement>(measurement: M, field: Fields[M], more: More = {}): Query => {
    const { by = [] } = more
    return {
      ...{ measurement, field, calc, over, by, only: {}, except: {} },
      legend: by.length > 0 ? by.map(tag => `{{${tag}}}`).join(' ') : field,
      ...more,
    }
  }

/** Of gauges that add up, such as flows. */
export const level = of('mean', 'sum')
/** Of gauges that do not add up, such as a mean: the largest counts. */
export const mean = of('mean', 'max')
/** Of quantiles: the largest counts. */
export const worst = of('max', 'max')
export const last = of('last', 'sum')
export const rate = of('rate', 'sum')
export const increase = of('increase', 'sum')
export const events = of('events', 'sum')

export type Kind = 'lines' | 'stacked' | 'bars' | 'stat' | 'table' | 'graph' | 'heatmap'
/** One number of the whole range for each value of the tags, not lines over time. */
export const isOfRange = (kind: Kind): boolean => kind === 'table' || kind === 'graph'

/** Where a click leads: to a dashboard, with the variables that are set by tags of what was clicked. */
export interface Link {
  readonly to: string
  readonly title: string
  readonly by: readonly Filter[]
}

export interface Panel {
  readonly title: string
  /** What the number means. */
  readonly means: string
  /** What to do when it is bad. */
  readonly bad: string
  readonly kind: Kind
  readonly queries: readonly [Query, ...Query[]]
  /** The first query in percent of the second. */
  readonly share?: true
  /** In units of the samples, or percent: yellow from the first on, red from the second on. */
  readonly thresholds?: readonly [warning: number, bad: number]
  /** Columns of 24; the height is by kind. */
  readonly width: number
  /** Only in this dialect. */
  readonly dialect?: Dialect
  readonly link?: Link
  /** Of a table: only the largest of its first column of numbers. */
  readonly most?: number
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** Part of its uid and of the names of its files. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly variables: readonly Filter[]
  readonly rows: readonly Row[]
}

export const uidOf = (name: string, dialect: Dialect): string => `sockflux-${name}-${dialect}`
