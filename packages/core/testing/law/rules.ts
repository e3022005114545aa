/** Packs as the law reads them: JSON, and nothing of what compiles it. */

export type Kind = 'user' | 'community' | 'leader'
export type Relation = 'community' | 'leader'

export interface Leaf {
  readonly fact: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly path?: string
  readonly operator: string
  readonly value: unknown
}

export type Tree =
  | Leaf
  | { readonly all: readonly Tree[] }
  | { readonly any: readonly Tree[] }
  | { readonly not: Tree }
  | { readonly condition: string }

export interface TagRule {
  readonly kind: 'tag'
  readonly id: string
  readonly subject: Kind
  readonly conditions: Tree
}

export interface ScoreRule {
  readonly kind: 'score'
  readonly id: string
  readonly subject: Kind
  readonly terms: readonly Term[]
  readonly tiers?: readonly { readonly id: string; readonly from: number }[]
}

export type Term =
  | { readonly points: number; readonly conditions: Tree }
  | { readonly points: number; readonly per: Pick<Leaf, 'fact' | 'params'>; readonly max?: number }
  | ({ readonly points: number; readonly halfLife?: string; readonly max?: number } & EventTerm)

interface EventTerm {
  readonly event: string | string[]
  readonly where?: Leaf
  readonly item?: Leaf
}

export interface NamedRule {
  readonly kind: 'condition'
  readonly id: string
  readonly conditions: Tree
}

export type Rule = TagRule | ScoreRule | NamedRule

export function isLeaf(tree: Tree): tree is Leaf {
  return 'fact' in tree
}

/** Every comparison of a tree; those of named conditions are found where these are written. */
export function leavesOf(tree: Tree): readonly Leaf[] {
  if ('all' in tree) return tree.all.flatMap(leavesOf)
  if ('any' in tree) return tree.any.flatMap(leavesOf)
  if ('not' in tree) return leavesOf(tree.not)
  return isLeaf(tree) ? [tree] : []
}

/** The named conditions that a tree reads itself. */
export function namesIn(tree: Tree): readonly string[] {
  if ('all' in tree) return tree.all.flatMap(namesIn)
  if ('any' in tree) return tree.any.flatMap(namesIn)
  if ('not' in tree) return namesIn(tree.not)
  return 'condition' in tree ? [tree.condition] : []
}

/** The trees that a tag or a score asks. */
export function treesOf(rule: TagRule | ScoreRule): readonly Tree[] {
  if (rule.kind === 'tag') return [rule.conditions]
  return rule.terms.flatMap((term) => ('conditions' in term ? [term.conditions] : []))
}
