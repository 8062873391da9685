/** Eight colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008). */
const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#6b4c9a',
  '#444444',
] as const;

/** A subject and its colour, by its place among the subjects. */
export function colourOf(subject: string, at: number): readonly [string, string] {
  return [subject, COLOURS[at % COLOURS.length] ?? '#444444'];
}

export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly weight?: number;
  readonly fill?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function text(place: TextPlace, content: string): string {
  const { x, y, size, weight, fill = '#1b2733', anchor } = place;
  const attributes = [
    `x="${rounded(x)}" y="${rounded(y)}" fill="${fill}"`,
    ...(size === undefined ? [] : [`font-size="${size}"`]),
    ...(weight === undefined ? [] : [`font-weight="${weight}"`]),
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
  ];
  return `<text ${attributes.join(' ')}>${escaped(content)}</text>`;
}

export interface LinePlace {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly stroke: string;
}

export function line({ x1, y1, x2, y2, stroke }: LinePlace): string {
  const [from, to] = [
    `x1="${rounded(x1)}" y1="${rounded(y1)}"`,
    `x2="${rounded(x2)}" y2="${rounded(y2)}"`,
  ];
  return `<line ${from} ${to} stroke="${stroke}"/>`;
}

export interface RectanglePlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: string;
  readonly opacity?: number;
}

export function rectangle({ x, y, width, height, fill, opacity = 1 }: RectanglePlace): string {
  const size = `width="${rounded(width)}" height="${rounded(height)}"`;
  const faint = opacity === 1 ? '' : ` opacity="${opacity}"`;
  return `<rect x="${rounded(x)}" y="${rounded(y)}" ${size} fill="${fill}"${faint}/>`;
}

/** A line through these points, with a dot at each. */
export function path(points: readonly (readonly [x: number, y: number])[], stroke: string): string {
  const along = points.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(' ');
  const dots = points.map(
    ([x, y]) => `<circle cx="${rounded(x)}" cy="${rounded(y)}" r="3" fill="${stroke}"/>`,
  );
  const drawn = `<polyline points="${along}" fill="none" stroke="${stroke}" stroke-width="2"/>`;
  return [drawn, ...dots].join('\n');
}

/** Text that stays text inside of XML. */
export function escaped(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A tenth of a pixel is more than anybody sees. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
