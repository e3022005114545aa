import { compileProgram, loadPack, type Pack } from '@linli/rules'
import type { EngineOptions } from '../door.js'
import type { Channel } from '../ports/channel.js'
import type { Copywriter } from '../ports/copywriter.js'
import type { CouponIssuer } from '../ports/issuer.js'
import { openWorld, type World } from '../simulation/world.js'
import { memoryStore } from '../storage/memory/store.js'

export interface CreateWorldOptions {
  /** A pack, or the folder of one. */
  readonly rules: Pack | string
  /** When the world begins. */
  readonly now: string | number | Date
  /** As `createEngine` takes it; a store in plain memory when left out. */
  readonly database?: NonNullable<EngineOptions['database']>
  /** Left out: every channel that the rules name exists and accepts everything. */
  readonly channels?: readonly Channel[]
  /** Left out: every issuer that an offer names exists and issues everything. */
  readonly issuers?: readonly CouponIssuer[]
  /** Left out: the fallbacks of templates that have `copy` are sent. */
  readonly copywriter?: Copywriter
}

/** A world for tests: a real engine, a clock moved by hand, and the messages that left. */
export async function createWorld({
  rules,
  now,
  database,
  channels,
  issuers,
  copywriter,
}: CreateWorldOptions): Promise<World> {
  const pack = typeof rules === 'string' ? await loadPack(rules) : rules
  return openWorld({
    rules: pack,
    now,
    database: database ?? memoryStore(),
    program: compileProgram(pack),
    ...(channels && { channels }),
    ...(issuers && { issuers }),
    ...(copywriter && { copywriter }),
  })
}
