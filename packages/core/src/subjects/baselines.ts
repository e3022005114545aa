import type { SubjectKind } from '@linli/rules'
import { BaselineDraft } from '../domain/baseline.js'
import type { InboxEntry, StoreTransaction } from '../ports/store.js'
import type { Edition, Programs } from './programs.js'
import { upToDate } from './up-to-date.js'

/** How many subjects are measured at a time. */
const PAGE = 500
/** How many are brought up to the rules at a time: each may have many events. */
const BEHIND = 5

/**
 * Works one baseline out that is due: measures all subjects of its kind, and lets them know that they are compared anew. The
 * transaction holds the baseline, so that one process does it and the others pass over it. Subjects that an older version
 * of the rules has kept are brought up first, a few at a time. Gives 0 when nothing was due.
 */
export async function refreshBaseline(
  tx: StoreTransaction,
  programs: Programs,
  edition: Edition,
  now: number,
): Promise<number> {
  const kind = await tx.takeDueBaseline(now)
  if (kind === undefined) return 0
  const rules = edition.program.subjects[kind]
  const behind = await tx.takeOutdatedSubjects(kind, edition.version.goodSince[kind], BEHIND)
  if (behind.length > 0) {
    await upToDate(tx, programs, edition, behind)
    return behind.length
  }
  const first = await firstCompared(tx, programs, edition, kind)
  const draft = new BaselineDraft(kind, now, rules)
  const compared: InboxEntry[] = []
  let page = rules.figures.size === 0 ? [] : await tx.listSubjects(kind, undefined, PAGE)
  while (page.length > 0) {
    for (const { key, state } of page) {
      if (state.at === 0) continue
      draft.add(key.id, state)
      compared.push({ key, input: { kind: 'baseline', at: now, ...(first.length > 0 && { first }) } })
    }
    page = page.length < PAGE ? [] : await tx.listSubjects(kind, page.at(-1)?.key.id, PAGE)
  }
  const { baseline, dueAt } = draft.result()
  await tx.saveBaseline(baseline, dueAt)
  await tx.addInbox(compared)
  return 1
}

/** Figures that subjects are compared by for the first time, because of rules that were published since and greet nobody. */
async function firstCompared(
  tx: StoreTransaction,
  programs: Programs,
  { version: { number, greet }, program }: Edition,
  kind: SubjectKind,
): Promise<readonly string[]> {
  if (number === 1 || greet) return []
  const [baseline] = await tx.readBaselines([kind])
  const fresh = [...program.subjects[kind].figures.keys()].filter((figure) => baseline?.figures[figure] === undefined)
  if (fresh.length === 0) return []
  // Rules that have not been through a full hour yet may still have been in force before.
  const before = (await programs.at(tx, number - 1)).program.subjects[kind].figures
  return fresh.filter((figure) => !before.has(figure))
}
