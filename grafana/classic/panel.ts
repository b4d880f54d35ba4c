/** How each kind of panel looks. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type Panel as GrafanaPanel,
  type GridPos,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Dialect } from '../datasource.ts'
import { unitOf } from '../query/metric.ts'
import type { Filter, Kind, Panel } from '../table/panel.ts'
import { graphBuilder } from './graph.ts'
import { dataLink } from './links.ts'
import { tableBuilder } from './table.ts'
import { chosen, targetsOf } from './target.ts'

type AnyBuilder =
  | TimeseriesBuilder
  | StatBuilder
  | HeatmapBuilder
  | ReturnType<typeof tableBuilder | typeof graphBuilder>

/** Null is a gap: `spanNulls` joins nothing. */
const timeseries = (panel: Panel, dialect: Dialect) => {
  const lines = new TimeseriesBuilder()
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(0)
    .spanNulls(false)
    .min(0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['mean', 'max', 'lastNotNull'])
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
  if (panel.thresholds)
    lines.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  // a link that is set anyhow needs the type of the SDK, which has more keys than Grafana reads
  return panel.link
    ? lines.dataLinks([{ build: () => dataLink(panel.link!, dialect, 'line') as never }])
    : lines
}

const stacked = (panel: Panel, dialect: Dialect) =>
  timeseries(panel, dialect)
    .fillOpacity(20)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))

const KINDS: Readonly<Record<Kind, (panel: Panel, dialect: Dialect) => AnyBuilder>> = {
  lines: timeseries,
  stacked,
  bars: (panel, dialect) => stacked(panel, dialect).drawStyle(GraphDrawStyle.Bars).fillOpacity(60),
  stat: () =>
    new StatBuilder()
      .graphMode(BigValueGraphMode.Area)
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false)),
  table: tableBuilder,
  graph: graphBuilder,
  heatmap: () => new HeatmapBuilder().calculate(false).yAxis(new YAxisConfigBuilder().unit('s')),
}

export const HEIGHTS: Readonly<Record<Kind, number>> = {
  ...{ lines: 9, stacked: 9, bars: 9, stat: 4, table: 9, graph: 9, heatmap: 9 },
}

const labelled = (legend: string): string => legend.replace(/\{\{(\w+)\}\}/g, '${__field.labels.$1}')

/** Green, yellow and red, in the unit of the dialect. */
function thresholds(panel: Panel, per: number) {
  const [warning, bad] = panel.thresholds!
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: 'green' },
    { value: warning / per, color: 'yellow' },
    { value: bad / per, color: 'red' },
  ])
}

export interface Place {
  readonly id: number
  readonly gridPos: GridPos
}

export function panelOf(
  panel: Panel,
  dialect: Dialect,
  variables: readonly Filter[],
  { id, gridPos }: Place,
): Builder<GrafanaPanel> {
  const { unit, per } = unitOf(panel, panel.queries[0], dialect)
  const builder = KINDS[panel.kind](panel, dialect)
    .id(id)
    .gridPos(gridPos)
    .title(panel.title)
    .description(`${panel.means}\n\n${panel.bad}`)
    .datasource(chosen(dialect))
    .unit(panel.kind === 'heatmap' ? 'short' : unit)
    .targets(targetsOf(panel, dialect, variables))
  // an expression has labels and no alias
  if (panel.share && dialect === 'influxql') builder.displayName(labelled(panel.queries[0].legend))
  return panel.thresholds ? builder.thresholds(thresholds(panel, per)) : builder
}
