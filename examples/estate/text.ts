/** Chinese characters and their punctuation take two columns of a terminal. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g

export function widthOf(text: string): number {
  return text.length + (text.match(WIDE)?.length ?? 0)
}

/** Rows as aligned columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => widthOf(row[index] ?? ''))),
  )
  const cell = (text: string, index: number) => text + ' '.repeat((widths[index] ?? 0) - widthOf(text))
  return rows.map((row) => row.map(cell).join('  ').trimEnd())
}

export function indent(lines: readonly string[], by = '  '): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${by}${line}`))
}
