import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '@linli/core'
import type { WecomCorp } from '../../channels/wecom/corp.js'
import { optionInvalid } from '../../http/errors.js'
import { Turns } from '../../http/turns.js'
import { fieldOf } from '../../wechat/xml.js'
import type { WecomCallback } from './callbacks.js'
import { listGroups, readGroup, unreadable } from './group-detail.js'
import { changeOf, eventsBetween, eventsOfEnd, type GroupChange, type GroupPlace, isOfMembers } from './group-events.js'
import type { GroupMembers, KnownGroup } from './group-members.js'

export interface WecomGroupsOptions {
  readonly corp: WecomCorp
  readonly engine: Pick<Engine, 'ingest'>
  /** Who was in each group when it was last looked at: `postgresGroupMembers(pool)`. */
  readonly members: GroupMembers
  /**
   * Which community a group is: whoever joins belongs to it from then on. Undefined: the group is none of linli's business. Left
   * out: events name the group itself, and nobody's community changes.
   */
  readonly community?: (chatId: string) => string | undefined
  /** How long after a callback the group is looked at, in milliseconds: WeCom's list lags behind. Default 2,000. */
  readonly settleMs?: number
  /** How often it is looked at until the list is the one that the callback names. Default 3. */
  readonly tries?: number
  /** Told of what cannot be read or taken in; the next look at the group makes up for it. Default: nothing. */
  readonly onError?: (error: unknown) => void
}

/** Has those who join and leave customer groups become events. */
export interface WecomGroups {
  /** Takes a callback in; others than of groups are passed over. Returns at once: the group is looked at a little later. */
  changed(callback: WecomCallback): void
  /** Looks at a group now. Callbacks get lost: do so now and then. Rejects where it cannot be read or taken in. */
  sync(chatId: string): Promise<void>
  /** Looks at all groups of the company, one after another. What one of them fails by is told to `onError`. */
  syncAll(): Promise<void>
  /** Resolves when no callback waits to be looked into. */
  settled(): Promise<void>
  /** Stops waiting. Call `settled` first where nothing is to be put off to the next look. */
  close(): Promise<void>
}

/**
 * Has those who join and leave customer groups (客户群) become `member_joined` and `member_left`, of whoever has the identifier
 * `externalUserId` or `unionid`. WeCom tells only that a group has changed; who joined and who left is found by comparing its members
 * with those of the last look. A stay in a group begins once and ends once, in whatever order callbacks come, and however often.
 *
 * Who was in a group before the first look at it is no news.
 *
 * @throws {AdapterError} `wecom.option_invalid`
 */
export function wecomGroups(options: WecomGroupsOptions): WecomGroups {
  const { settleMs = 2000, tries = 3, onError = () => undefined } = options
  if (!Number.isInteger(settleMs) || settleMs < 0) throw invalid('settleMs', settleMs, 'from 0')
  if (!Number.isInteger(tries) || tries < 1) throw invalid('tries', tries, 'from 1')
  const closing = new AbortController()
  const waiting = new Map<string, WecomCallback[]>()
  const working = new Map<string, Promise<void>>()
  const look = new Looks(options, { settleMs, tries, signal: closing.signal })

  const work = async (chatId: string): Promise<void> => {
    // Callbacks that come meanwhile are looked into together.
    for (let failed = 0; (waiting.get(chatId)?.length ?? 0) > 0; ) {
      await wait(settleMs * 2 ** failed, undefined, { signal: closing.signal })
      const callbacks = waiting.get(chatId) ?? []
      waiting.delete(chatId)
      try {
        await look.at(chatId, changeOf(callbacks, new Date()))
        failed = 0
      } catch (error) {
        onError(error)
        failed += 1
        if (failed < tries) waiting.set(chatId, [...callbacks, ...(waiting.get(chatId) ?? [])])
      }
    }
  }

  const start = (chatId: string): void => {
    if (working.has(chatId) || !waiting.has(chatId) || closing.signal.aborted) return
    const done = work(chatId)
      // It was closed; what waits is found by the next look.
      .catch(() => undefined)
      .finally(() => {
        working.delete(chatId)
        // A callback may have come just as the work ended.
        start(chatId)
      })
    working.set(chatId, done)
  }

  return {
    changed(callback) {
      const chatId = fieldOf(callback.fields, 'ChatId')
      if (callback.event !== 'change_external_chat' || chatId === undefined || !isOfMembers(callback)) return
      waiting.set(chatId, [...(waiting.get(chatId) ?? []), callback])
      start(chatId)
    },
    sync: (chatId) => look.at(chatId, changeOf([], new Date())),
    async syncAll() {
      for await (const chatId of listGroups(options.corp, closing.signal)) {
        await look.at(chatId, changeOf([], new Date())).catch(onError)
      }
    },
    async settled() {
      while (working.size > 0) await Promise.all(working.values())
    },
    async close() {
      closing.abort()
      await Promise.all(working.values())
    },
  }
}

function invalid(option: string, found: number, right: string) {
  return optionInvalid('wecom', option, String(found), `a whole number ${right}`)
}

interface LookSettings {
  readonly settleMs: number
  readonly tries: number
  readonly signal: AbortSignal
}

/** Looks at groups, at each one after another. */
class Looks {
  readonly #turns = new Turns()

  constructor(
    private readonly options: WecomGroupsOptions,
    private readonly settings: LookSettings,
  ) {}

  at(chatId: string, change: GroupChange): Promise<void> {
    return this.#turns.run(chatId, this.settings.signal, () => this.#look(chatId, change))
  }

  async #look(chatId: string, change: GroupChange): Promise<void> {
    const { engine, members, community } = this.options
    const communityId = community === undefined ? chatId : community(chatId)
    if (communityId === undefined) return
    const place: GroupPlace = { chatId, communityId, isRelated: community !== undefined }
    // Before WeCom is asked: what it says is then no older than what is known.
    const known = await members.read(chatId)
    const found = change.isOver ? undefined : await this.#readSurely(chatId, change, known)
    const events =
      found === undefined ? eventsOfEnd(place, known, change.at) : eventsBetween(place, known, found.members, change)
    if (events.length > 0) await engine.ingest(events)
    // Only now: a crash before it has the same events found again, by the same ids.
    if (found === undefined) await members.forget(chatId)
    else await members.write(chatId, found)
  }

  /** Whoever is missing is looked for twice, where no callback names the list: it may be an old one, and a stay ends only once. */
  async #readSurely(chatId: string, change: GroupChange, known: KnownGroup | undefined): Promise<KnownGroup> {
    const found = await this.#read(chatId, change)
    const isNamed = found.version !== undefined && found.version === change.after
    if (isNamed || !isAnyMissing(known, found)) return found
    await wait(this.settings.settleMs, undefined, { signal: this.settings.signal })
    return this.#read(chatId, change)
  }

  /** The members as they are after the callback, as far as that can be told. */
  async #read(chatId: string, { before, after }: GroupChange): Promise<KnownGroup> {
    const { settleMs, tries, signal } = this.settings
    for (let time = 1; ; time++) {
      const found = await readGroup(this.options.corp, chatId, signal)
      const isRight = after === undefined || found.version === undefined || found.version === after
      if (isRight) return found
      // Another list than both: more has happened since, and its callback comes or has come.
      if (time === tries && found.version !== before) return found
      if (time === tries) throw unreadable('WeCom gives the list of before the change')
      await wait(settleMs, undefined, { signal })
    }
  }
}

function isAnyMissing(known: KnownGroup | undefined, { members }: KnownGroup): boolean {
  const here = new Set(members.map(({ externalUserId }) => externalUserId))
  return known?.members.some(({ externalUserId }) => !here.has(externalUserId)) ?? false
}
