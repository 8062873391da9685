/** The cells of each row under a heading's first table, without backticks and thousands commas. */
export function rowsUnder(markdown: string, heading: string): readonly (readonly string[])[] {
  const start = markdown.indexOf(`\n## ${heading}\n`);
  if (start === -1) throw new Error(`There is no heading "${heading}".`);
  const rest = markdown.slice(start + 1);
  const end = rest.indexOf('\n## ', 1);
  const section = end === -1 ? rest : rest.slice(0, end);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  // The first two lines are the titles and the rule below them.
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
      .map((cell) => (/^[\d,]+$/.test(cell) ? cell.replaceAll(',', '') : cell)),
  );
}
