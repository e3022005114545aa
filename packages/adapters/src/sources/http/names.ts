/**
 * What a source's events are called here: by their names there. `false` drops an event. What is not named keeps its name.
 */
export type EventNames = Readonly<Record<string, string | false>>

/** The name here; undefined: dropped. Only own members count: names come from outside. */
export function nameOf(event: string, own: EventNames, usual: EventNames): string | undefined {
  const names = Object.hasOwn(own, event) ? own : usual
  const name = Object.hasOwn(names, event) ? names[event] : event
  return name === false ? undefined : name
}
