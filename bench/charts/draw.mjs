import { createHash } from 'node:crypto';

/** The last line of a chart's file: it tells what was drawn without drawing it again. */
export function stamp(spec) {
  return `<!-- drawn from ${createHash('sha256').update(JSON.stringify(spec)).digest('hex')} -->\n`;
}

/** A Vega-Lite specification as the text of an SVG file. */
export async function draw(spec) {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]).catch(
    (error) => {
      throw new Error(`${error.message}; run npm ci in bench/`);
    },
  );
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n${stamp(spec)}`;
}
