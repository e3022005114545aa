import * as z from 'zod'
import { EVENT_CATALOGUE } from '../catalogue.js'
import { variant } from '../schemas/variant.js'

/** One comparison: a fact, an operator, a value. */
export interface ConditionLeaf {
  readonly fact: string
  readonly operator: string
  readonly value: unknown
  readonly params?: Readonly<Record<string, unknown>> | undefined
  readonly path?: string | undefined
  readonly name?: string | undefined
  /** Accepted for json-rules-engine's sake; it orders evaluation there and changes no verdict. */
  readonly priority?: number | undefined
}

/** json-rules-engine's condition tree. */
export type Conditions =
  | { readonly all: readonly Conditions[] }
  | { readonly any: readonly Conditions[] }
  | { readonly not: Conditions }
  | { readonly condition: string }
  | ConditionLeaf

export const LIMITS = {
  /** How deep a condition tree may nest. */
  depth: 16,
  /** How many nodes a condition tree may have. */
  nodes: 500,
  /** How many elements a list value may have. */
  list: 1000,
  /** How long a text value may be. */
  text: 1024,
} as const

const note = { name: z.string().max(200).optional(), priority: z.int().min(1).optional() }

const scalar = z.union([z.string().max(LIMITS.text), z.number(), z.boolean(), z.null()])

/** Another fact's value, in place of a constant. */
export const factReference = z.strictObject({
  fact: z.string().min(1).max(100),
  params: z.record(z.string(), z.json()).optional(),
  path: z.string().max(LIMITS.text).optional(),
})

/** A value of one condition: a constant, a list of constants, or another fact. */
const conditionValue = z
  .union([scalar, z.array(scalar).max(LIMITS.list), variant('fact', factReference)])
  .describe('A constant, a list of constants, or { "fact": … } to compare with another fact.')

const leaf = z.strictObject({
  fact: z.string().min(1).max(100).describe('What is looked at.'),
  operator: z.string().min(1).max(100).describe('How it is compared, such as "greaterThanInclusive".'),
  value: conditionValue,
  params: z
    .record(z.string(), z.json())
    .optional()
    .describe('What the fact needs to know.')
    // Editors offer what shops have in common; every other name is as good.
    .meta({ properties: { event: { examples: Object.keys(EVENT_CATALOGUE) } } }),
  path: z.string().max(LIMITS.text).optional().describe('A place inside the fact, such as "$.city".'),
  ...note,
})

const list: z.ZodType<Conditions[]> = z.lazy(() => z.array(conditionsSchema))

/** The shape of a condition tree; which facts and parameters are right is checked by the compiler. */
export const conditionsSchema: z.ZodType<Conditions> = z
  .lazy(() =>
    z.union([
      variant('all', z.strictObject({ all: list, ...note }).describe('True when every one of these holds.')),
      variant('any', z.strictObject({ any: list, ...note }).describe('True when one of these holds.')),
      variant('not', z.strictObject({ not: conditionsSchema, ...note }).describe('True when this does not hold.')),
      variant('condition', z.strictObject({ condition: z.string(), ...note }).describe('A named condition.')),
      variant('fact', leaf),
    ]),
  )
  .meta({ id: 'Conditions', description: "Conditions in json-rules-engine's dialect." }) as z.ZodType<Conditions>

/** How deep and how large a tree is, counted without recursion. */
export function measureConditions(root: unknown): { depth: number; nodes: number } {
  let depth = 0
  let nodes = 0
  const pending: [unknown, number][] = [[root, 1]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, level] = next
    if (typeof node !== 'object' || node === null) continue
    nodes += 1
    depth = Math.max(depth, level)
    const { all, any, not } = node as { all?: unknown; any?: unknown; not?: unknown }
    for (const list of [all, any]) {
      if (Array.isArray(list)) for (const child of list) pending.push([child, level + 1])
    }
    if (not !== undefined) pending.push([not, level + 1])
  }
  return { depth, nodes }
}
