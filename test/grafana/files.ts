/** The files that are mounted, read as Grafana reads them. */

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { DIALECTS, type Dialect } from '../../grafana/datasource.ts'

const ROOT = join(import.meta.dirname, '../../grafana')

export interface Target {
  readonly refId: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly query?: string
  readonly expr?: string
  readonly expression?: string
  readonly rawQuery?: boolean
  readonly resultFormat?: string
  readonly instant?: boolean
  readonly range?: boolean
  readonly hide?: boolean
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly Target[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      readonly custom?: Record<string, unknown>
      readonly links?: { url: string }[]
    }
    readonly overrides: readonly {
      readonly properties: readonly { readonly id: string; readonly value: unknown }[]
    }[]
  }
}

export interface Variable {
  readonly type: string
  readonly name: string
  readonly label?: string
  readonly query: string | { readonly query: string }
  readonly definition?: string
  readonly refresh?: number
  readonly multi?: boolean
  readonly includeAll?: boolean
  readonly allValue?: string
  readonly datasource?: { readonly uid: string }
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly editable: boolean
  readonly tags: readonly string[]
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr?: string; readonly target: Target }[]
  }
  readonly links: readonly {
    readonly type: string
    readonly keepTime: boolean
    readonly includeVars: boolean
    readonly tags: readonly string[]
  }[]
}

export interface File {
  readonly name: string
  readonly dialect: Dialect
  readonly text: string
  readonly dashboard: Dashboard
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
export const paths = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).sort()

export const files: readonly File[] = DIALECTS.flatMap(dialect =>
  paths(`${dialect}/*.json`).map(path => {
    const text = read(path)
    return { name: basename(path, '.json'), dialect, text, dashboard: JSON.parse(text) as Dashboard }
  }),
)

/** Without the titles of rows. */
export const panelsOf = ({ panels }: Dashboard): Panel[] => panels.filter(({ type }) => type !== 'row')

export interface Rule {
  readonly uid: string
  readonly title: string
  readonly condition: string
  readonly data: readonly {
    readonly refId: string
    readonly datasourceUid: string
    readonly relativeTimeRange?: { readonly from: number; readonly to: number }
    readonly model: Target & Record<string, unknown>
  }[]
}
export const rulesOf = (database: string): Rule[] =>
  (
    parse(read(`provisioning/${database}/alerting/sockflux.yaml`)) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap(({ rules }) => rules)
