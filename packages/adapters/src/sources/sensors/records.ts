import type { IncomingEvent } from '@linli/core'
import { asObject, type JsonObject } from '../../http/json.js'
import { idFor } from '../http/ids.js'
import { type EventNames, nameOf } from '../http/names.js'
import { whoIs } from './identities.js'

/** Presets of Sensors' SDKs, and names that shops commonly give, by the names of linli's catalogue. */
export const SENSORS_NAMES: EventNames = {
  $MPLaunch: 'app_opened',
  $AppStart: 'app_opened',
  $MPViewScreen: 'page_viewed',
  $AppViewScreen: 'page_viewed',
  $pageview: 'page_viewed',
  $MPPageLeave: 'page_left',
  $WebPageLeave: 'page_left',
  $MPClick: 'element_clicked',
  $AppClick: 'element_clicked',
  $WebClick: 'element_clicked',
  ViewProduct: 'product_viewed',
  AddToCart: 'cart_added',
  AddToShoppingCart: 'cart_added',
  SubmitOrder: 'order_placed',
  PayOrder: 'order_paid',
}

/** Preset properties, by the names of the catalogue. */
const PRESETS: ReadonlyMap<string, string> = new Map([
  ['$url_path', 'page'],
  ['$url', 'url'],
  ['$title', 'title'],
  ['$referrer', 'referrer'],
  ['$scene', 'scene'],
  ['$element_content', 'element'],
  ['$element_id', 'elementId'],
  ['$share_depth', 'shareDepth'],
  ['event_duration', 'seconds'],
])

export interface Reading {
  readonly names: EventNames
  /** What properties are called here. */
  readonly properties: Readonly<Record<string, string>>
  readonly isLogin: ((record: JsonObject) => boolean) | undefined
}

/** What cannot be said of a person by `identify`: it is kept as an event of this name. */
const PROFILE_EVENTS: ReadonlyMap<unknown, string> = new Map([
  ['profile_set_once', 'profile_set_once'],
  ['profile_increment', 'profile_incremented'],
  ['profile_append', 'profile_appended'],
  ['profile_unset', 'profile_unset'],
  ['profile_delete', 'profile_deleted'],
  ['track_id_unbind', 'identity_unbound'],
])

/** One record as an event; undefined where it is to be dropped: `names` says so, or it is of a product (`item_set`). */
export function eventOf(record: JsonObject, reading: Reading): IncomingEvent | undefined {
  const { type, event, original_id: previousId } = record
  const base = { messageId: idOf(record), ...timesOf(record), ...whoIs(record, reading.isLogin) }
  // Nothing is known of these values: the engine looks at every one.
  const made = (rest: JsonObject) => ({ ...base, ...rest }) as unknown as IncomingEvent
  const properties = propertiesOf(record, reading)
  switch (type) {
    case 'track_signup':
      return made({ type: 'alias', userId: base.userId ?? record['distinct_id'], previousId, anonymousId: undefined })
    case 'track_id_bind':
      return made({ type: 'identify', traits: {} })
    case 'profile_set':
      return made({ type: 'identify', traits: properties })
    case 'item_set':
    case 'item_delete':
      return undefined
    case 'track': {
      const name = typeof event === 'string' ? nameOf(event, reading.names, SENSORS_NAMES) : event
      return name === undefined && typeof event === 'string' ? undefined : made({ event: name, properties })
    }
    default: {
      const name = PROFILE_EVENTS.get(type)
      return name === undefined ? made({ type }) : made({ event: name, properties })
    }
  }
}

/** By the device's clock, which is wrong by as much as it is between `_flush_time` and the arrival. */
function timesOf({ time, properties, _flush_time: sentAt }: JsonObject): JsonObject {
  const timestamp = asObject(properties)?.['$time'] ?? time
  return {
    ...(timestamp !== undefined && { timestamp }),
    ...(typeof sentAt === 'number' && { sentAt }),
  }
}

/** Presets that the catalogue knows have its names; the rest of them says what the device is, and is left out. */
function propertiesOf({ properties }: JsonObject, { properties: own }: Reading): JsonObject {
  return Object.fromEntries(
    Object.entries(asObject(properties) ?? {}).flatMap(([name, value]) => {
      if (Object.hasOwn(own, name)) return [[own[name] ?? name, value]]
      const preset = PRESETS.get(name)
      if (preset !== undefined) return [[preset, value]]
      return name.startsWith('$') ? [] : [[name, value]]
    }),
  )
}

/** `_track_id` alone is not unique: five digits of chance and four of the clock. */
function idOf({ distinct_id: distinct, type, event, time, _track_id: track, ...rest }: JsonObject): string {
  const says =
    track === undefined ? [distinct, type, event, time, rest['properties']] : [distinct, type, event, time, track]
  return idFor('sensors', JSON.stringify(says))
}
