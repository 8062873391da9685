import { escaped } from 'memgrid/bench';
import { layersOf, type Call } from './call-tree.ts';
import { LAYERS, type LayerName } from './layers.ts';

export interface FlameGraphTitle {
  /** `set, one node: the node`. */
  readonly title: string;
  /** While the profile was made. */
  readonly operations: number;
}

const WIDTH = 1_200;
const MARGIN = 12;
const ROW = 17;
const LETTER = 6.3;
/** A box that nobody could see or point at is left out, and with it all that is below it. */
const BOX_WIDTH_MIN = 1.5;
const LEGEND_COLUMNS = 5;
const TITLE_HEIGHT = 62;
const LETTERS_MIN = 3;

interface Box {
  readonly call: Call;
  readonly x: number;
  readonly depth: number;
  readonly width: number;
}

/**
 * A profile as a picture: what a function calls hangs below it, and is as wide as it takes time. Colours are
 * layers. Plain SVG without scripts, so it opens anywhere; pointing at a box tells its name, place and time.
 */
export function flameGraph(tree: Call, { title, operations }: FlameGraphTitle): string {
  const boxes = boxesOf(tree);
  const layers = [...layersOf(tree)];
  const top = TITLE_HEIGHT + Math.ceil(layers.length / LEGEND_COLUMNS) * ROW + 8;
  const depth = Math.max(0, ...boxes.map((box) => box.depth)) + 1;
  const height = top + depth * ROW + MARGIN;
  const each = (us: number): string => `${(us / Math.max(1, operations)).toFixed(2)} µs`;
  const share = (us: number): string => `${((100 * us) / Math.max(1, tree.us)).toFixed(1)} %`;
  const about =
    `${each(tree.us)} of the main thread for each operation. Below a function is what it calls, as wide as it ` +
    'takes time; colours are layers. Point at a box for its name and its time.';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    styleOf(layers.map(([name]) => name)),
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${MARGIN}" y="26" font-size="18" font-weight="600">${escaped(title)}</text>`,
    `<text x="${MARGIN}" y="46" fill="#5f6b7a">${escaped(about)}</text>`,
    ...layers.map(([name, us], at) => legend(name, at, `${name}: ${each(us)}, ${share(us)}`)),
    '<g class="f">',
    ...boxes.map((box) => {
      const { name, us } = box.call;
      return drawn(box, top, `${name}: ${each(us)}, ${share(us)}`);
    }),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The callers before those whom they call. */
function boxesOf(tree: Call): readonly Box[] {
  const boxes: Box[] = [];
  const scale = (WIDTH - 2 * MARGIN) / Math.max(1, tree.us);
  const place = (calls: readonly Call[], from: number, depth: number): void => {
    let x = from;
    for (const call of calls) {
      const width = call.us * scale;
      if (width >= BOX_WIDTH_MIN) {
        boxes.push({ call, x, depth, width });
        place(call.calls, x, depth + 1);
      }
      x += width;
    }
  };
  place(tree.calls, MARGIN, 0);
  return boxes;
}

/** A class for each layer is shorter than its colour at each of many boxes. */
function styleOf(layers: readonly LayerName[]): string {
  const colours = layers.map((name) => `.${classOf(name)}{fill:${LAYERS[name].colour}}`);
  const boxes = '.f{font:11px ui-monospace,monospace}.f rect{stroke:#fff;stroke-width:.5}';
  return `<style>${boxes}.f g:hover rect{stroke:#000;stroke-width:1}${colours.join('')}</style>`;
}

function classOf(name: LayerName): string {
  return name.replace(' ', '-');
}

function legend(name: LayerName, at: number, said: string): string {
  const x = MARGIN + (at % LEGEND_COLUMNS) * ((WIDTH - 2 * MARGIN) / LEGEND_COLUMNS);
  const y = TITLE_HEIGHT + Math.floor(at / LEGEND_COLUMNS) * ROW;
  const box = `<rect class="${classOf(name)}" x="${x}" y="${y}" width="12" height="12"/>`;
  return `${box}<text x="${x + 17}" y="${y + 10}">${escaped(said)}</text>`;
}

function drawn({ call, x, depth, width }: Box, top: number, said: string): string {
  const y = top + depth * ROW;
  const [left, wide] = [x.toFixed(1), width.toFixed(1)];
  const letters = Math.floor((width - 5) / LETTER);
  // Where it is told is for those who point at it.
  const name = call.name.replace(/ \(.*\)$/, '');
  const shown = name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
  const text =
    letters < LETTERS_MIN
      ? ''
      : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(shown)}</text>`;
  const rect = `<rect class="${classOf(call.layer)}" x="${left}" y="${y}" width="${wide}" height="${ROW - 1}"/>`;
  return `<g><title>${escaped(said)}</title>${rect}${text}</g>`;
}
