import { growthChart, growthCharts } from './growth-chart.mjs';
import { idleChart } from './idle-chart.mjs';
import { ratioChart } from './ratio-chart.mjs';
import { growing, named } from './result-groups.mjs';
import { themes } from './style.mjs';

const CHARTS = [
  { name: 'ratio', has: (results) => named(results).length > 0, draw: ratioChart },
  {
    name: 'idle',
    has: ({ workloads }) => workloads.some(({ name }) => name === 'idle'),
    draw: idleChart,
  },
  ...growthCharts.map((chart) => ({
    name: chart.name,
    has: (results) => growing(results, chart.group).length > 0,
    draw: (results, theme) => growthChart(results, theme, chart),
  })),
];

/** The Vega-Lite specifications of a result file's charts, by the name of their file. */
export function allCharts(results) {
  return CHARTS.filter(({ has }) => has(results)).flatMap(({ name, draw }) =>
    themes.map((theme) => ({ file: `${name}-${theme}.svg`, spec: draw(results, theme) })),
  );
}
