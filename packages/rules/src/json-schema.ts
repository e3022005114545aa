import * as z from 'zod'
import { DEFINITION_KINDS, DEFINITION_SCHEMAS, type DefinitionKind } from './schemas/definitions.js'

/**
 * JSON Schema (draft 2020-12) for editors: of one kind of object, or of a whole rule file (one object or a list) when no
 * kind is named.
 */
export function jsonSchema(kind?: DefinitionKind): Record<string, unknown> {
  if (kind !== undefined) return z.toJSONSchema(DEFINITION_SCHEMAS[kind], { io: 'output' })
  const object = z.union(DEFINITION_KINDS.map((name) => DEFINITION_SCHEMAS[name]))
  return z.toJSONSchema(z.union([object, z.array(object)]), { io: 'output' })
}
