import { DAY_MS, dayAndTime } from './calendar.js'

/** Shows on standard error how far the story has come: one line that changes on a terminal, else a line for each week. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr) {
  let shownDay = ''
  let shownAt = 0
  return {
    update(taken: number, at: number): void {
      const line = `${dayAndTime(at)}  ${taken} events`
      if (stream.isTTY) stream.write(`\r${line}   `)
      else if (at - shownAt >= 7 * DAY_MS) {
        shownAt = at
        stream.write(`${line}\n`)
      }
      shownDay = line
    },
    end(): void {
      if (stream.isTTY) stream.write(`\r${' '.repeat(shownDay.length + 3)}\r`)
    },
  }
}
