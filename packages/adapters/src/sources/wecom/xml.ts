import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** The fields of a callback: the texts of what stands in it. Of lists, only that there is one. */
export type XmlFields = Readonly<Record<string, string>>

/** The fields under `<xml>`; undefined where the text is no such thing. */
export function readXml(text: string): XmlFields | undefined {
  try {
    const { root } = parseXml(text)
    if (root?.name !== 'xml') return undefined
    return Object.fromEntries(
      root.children.flatMap((child) => (child instanceof XmlElement ? [[child.name, child.text]] : [])),
    )
  } catch {
    return undefined
  }
}

/** A field that is there and not empty. */
export function fieldOf(fields: XmlFields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return value === '' ? undefined : value
}
