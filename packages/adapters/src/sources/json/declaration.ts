import { FORBIDDEN_KEYS } from '@linli/rules'
import * as z from 'zod'
import { pointerSchema } from '../../declared/pointer.js'

const name = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !FORBIDDEN_KEYS.has(text))

/**
 * Where a value stands, and what is made of it:
 * - `fen`: a whole number of fen, as a number or as text, becomes yuan, exactly;
 * - `yuan`: yuan as a number or as text becomes a number;
 * - `number`, `text`: a number, or a text, of what may be either;
 * - `time`: a time, as of `at`, becomes ISO 8601.
 */
const converted = z.strictObject({ from: pointerSchema, as: z.enum(['fen', 'yuan', 'number', 'text', 'time']) })
/** A value that every event has. */
const constant = z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]) })
const single = z.union([pointerSchema, converted, constant])
/** A list: `properties` of each of its elements, by pointers from there. */
const list = z.strictObject({ each: pointerSchema, properties: z.record(name, single) })

const value = z.union([pointerSchema, converted, constant, list])
export type ValueOf = z.output<typeof value>

const parts = {
  /** What makes a record the one it is: a second one of the same name and id changes nothing. Left out: all that it says. */
  id: z.union([pointerSchema, z.array(pointerSchema).min(1).max(10)]).optional(),
  /** Whose it is: the user's id. */
  user: pointerSchema.optional(),
  /** The device's id, where there is no user's. */
  anonymous: pointerSchema.optional(),
  /** What else the person is known by, such as `openid`; list it in the engine's `identifiers`. */
  identifiers: z.record(z.string().regex(/^[\w.-]{1,64}$/), pointerSchema).optional(),
  /**
   * When it happened: seconds or milliseconds since the epoch, or a date with a time. One that names no zone is in `zone`. A record
   * that says none happened when it came.
   */
  at: pointerSchema.optional(),
  /** The community that the user belongs to: says so to the engine, before the event. */
  community: pointerSchema.optional(),
  /** The event's properties: a pointer to an object, which is taken as it is; or each by its name. */
  properties: z.union([pointerSchema, z.record(name, value)]).optional(),
  /** Traits of the user that the record tells: says so to the engine, before the event. */
  traits: z.record(name, value).optional(),
}

const mapping = z.strictObject({
  /** The event's name here. Left out: the one of the catalogue, or else its own. */
  event: name.optional(),
  ...parts,
})

export const mapSchema = z.strictObject({
  /** Begins the ids of events. Two systems have two names. Default `json`. */
  source: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional(),
  /** Where the records stand in what comes: a list, or one record. Default: all of it. */
  records: pointerSchema.optional(),
  /** Where a record says what happened; or a constant, where a system has an address for each event. */
  name: z.union([pointerSchema, constant]),
  /** What counts for all events, save where `events` says something else. */
  ...parts,
  /** What becomes of events, by their names there. `false` drops one. */
  events: z.record(z.string().min(1).max(200), z.union([mapping, z.literal(false)])).optional(),
  /** What becomes of events that `events` does not name. Default `keep`. */
  others: z.enum(['keep', 'drop']).optional(),
  /** The time zone of times that name none, as IANA calls it. Default `Asia/Shanghai`. */
  zone: z.string().refine(isZone).optional(),
})

/** How records of an order system become events, declared in JSON. */
export type JsonMapDeclaration = z.output<typeof mapSchema>
export type Mapping = z.output<typeof mapping>

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
