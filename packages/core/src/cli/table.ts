/** Rows of numbers under a title, aligned for a terminal; nothing where there are no rows. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly [string, ...(number | string)[]])[],
): string {
  if (rows.length === 0) return ''
  const width = Math.max(displayWidth(title), ...rows.map(([name]) => displayWidth(name)))
  const pad = (text: string) => text + ' '.repeat(width - displayWidth(text))
  const cells = (values: readonly (string | number)[]) => values.map((value) => String(value).padStart(10)).join('')
  return [pad(title) + cells(columns), ...rows.map(([name, ...values]) => pad(name) + cells(values))]
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Columns a text takes in a terminal: characters of Chinese, Japanese and Korean take two. */
function displayWidth(text: string): number {
  return [...text].reduce(
    (width, character) =>
      width +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(character) ? 2 : 1),
    0,
  )
}
