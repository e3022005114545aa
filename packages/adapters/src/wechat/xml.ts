import { parseXml, XmlElement } from '@rgrove/parse-xml'
import type { JsonObject } from '../http/json.js'

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

/**
 * What stands under `<xml>`, as JSON would say it: an element that holds others is an object, what stands there several times is a
 * list, and all else is text. Undefined where the text is no such thing.
 */
export function readXmlTree(text: string): JsonObject | undefined {
  try {
    const { root } = parseXml(text)
    return root?.name === 'xml' ? objectOf(elementsIn(root)) : undefined
  } catch {
    return undefined
  }
}

function elementsIn({ children }: XmlElement): readonly XmlElement[] {
  return children.filter((child) => child instanceof XmlElement)
}

function objectOf(elements: readonly XmlElement[]): JsonObject {
  const found = new Map<string, unknown[]>()
  for (const element of elements) {
    const inner = elementsIn(element)
    const value = inner.length > 0 ? objectOf(inner) : element.text
    found.set(element.name, [...(found.get(element.name) ?? []), value])
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}
