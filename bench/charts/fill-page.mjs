import { pageParts } from './page-parts.mjs';

const PART = /<!-- generated: (\w+) -->\n[\s\S]*?<!-- end -->/g;

/** The page with each part between `<!-- generated: NAME -->` and `<!-- end -->` made anew. */
export function fillPage(page, results) {
  const found = [...page.matchAll(PART)].map(([, name]) => name);
  const missing = Object.keys(pageParts).find((name) => !found.includes(name));
  if (missing !== undefined) throw new Error(`the page has no <!-- generated: ${missing} -->`);
  return page.replaceAll(PART, (_, name) => {
    if (pageParts[name] === undefined) throw new Error(`the page asks for ${name}: no such part`);
    return `<!-- generated: ${name} -->\n\n${pageParts[name](results)}\n\n<!-- end -->`;
  });
}
